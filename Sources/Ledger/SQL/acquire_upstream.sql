-- $1 kind, $2 host, $3 worker, $4 ttl in ms
WITH free AS (
    SELECT id FROM upstreams WHERE kind = $1 AND host = $2 AND (owner IS NULL OR owner = $3 OR expires_at <= clock_timestamp())
    FOR UPDATE SKIP LOCKED
)
UPDATE upstreams u SET owner = $3, token = u.token + 1, expires_at = clock_timestamp() + $4 * interval '1 ms'
FROM free WHERE u.id = free.id RETURNING u.token
