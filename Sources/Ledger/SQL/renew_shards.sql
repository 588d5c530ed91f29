-- Heartbeat, renewal of what is owned, and a look at the rest, in one statement. $1 worker, $2 ttl in ms
-- A row that another statement holds is waited for: to skip it would read as a lost lease.
WITH beat AS (
    INSERT INTO workers (id, expires_at) VALUES ($1, clock_timestamp() + $2 * interval '1 ms')
    ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
), gone AS (
    DELETE FROM workers WHERE id <> $1 AND expires_at < clock_timestamp() - interval '1 day'
), mine AS (
    SELECT shard FROM shards WHERE owner = $1 AND expires_at > clock_timestamp() ORDER BY shard FOR NO KEY UPDATE
), renewed AS (
    UPDATE shards s SET expires_at = clock_timestamp() + $2 * interval '1 ms' FROM mine WHERE s.shard = mine.shard
    RETURNING s.shard, s.token
)
SELECT s.shard, r.token, (s.owner IS NULL OR s.expires_at <= clock_timestamp()) AS free,
       1 + (SELECT count(*) FROM workers w WHERE w.expires_at > clock_timestamp() AND w.id <> $1) AS live_workers
FROM shards s LEFT JOIN renewed r USING (shard)
ORDER BY s.shard
