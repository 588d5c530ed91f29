-- $1 shard, $2 due by, $3 dids, $4 limit
SELECT id, did, rev, reason, host, session, n, epoch, seq, kind, time, frame, held_since, due_at, attempts
FROM held WHERE shard = $1 AND (due_at <= $2 OR did = ANY ($3)) ORDER BY did, rev, id LIMIT $4
