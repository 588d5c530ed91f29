UPDATE held h SET due_at = p.due_at, attempts = h.attempts + 1 FROM unnest($2, $3) AS p (id, due_at) WHERE h.shard = $1 AND h.id = p.id
