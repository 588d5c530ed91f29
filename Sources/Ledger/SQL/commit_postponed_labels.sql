-- $1 shard, $2 ids, $3 due at
UPDATE held_labels h SET due_at = p.due_at, attempts = h.attempts + 1 FROM unnest($2::bigint[], $3::timestamptz[]) AS p (id, due_at)
WHERE h.shard = $1 AND h.id = p.id
