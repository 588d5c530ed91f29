-- Takes what is free, expired or the worker's own, and what nobody else's transaction holds. $1 shards, $2 worker, $3 ttl in ms
WITH free AS (
    SELECT shard FROM shards
    WHERE shard = ANY ($1) AND (owner IS NULL OR owner = $2 OR expires_at <= clock_timestamp())
    ORDER BY shard FOR UPDATE SKIP LOCKED
)
UPDATE shards s SET owner = $2, token = s.token + 1, expires_at = clock_timestamp() + $3 * interval '1 ms',
    lease_moves = s.lease_moves + CASE WHEN s.owner = $2 THEN 0 ELSE 1 END
FROM free WHERE s.shard = free.shard RETURNING s.shard, s.token
