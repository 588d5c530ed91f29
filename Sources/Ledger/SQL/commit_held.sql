INSERT INTO held (shard, did, rev, reason, host, session, n, epoch, seq, kind, time, frame, held_since, due_at, attempts)
SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
