-- The longest held of one source and upstream. $1 shard, $2 src, $3 host, $4 limit
SELECT id, src, host, session, epoch, seq, place, label, held_since, due_at, attempts
FROM held_labels WHERE shard = $1 AND src = $2 AND host = $3 ORDER BY id LIMIT $4
