-- $1 worker, $2 kinds, $3 hosts, $4 tokens, $5 ttl in ms. A rewind counts only where it names the current session.
-- A row that another statement holds is waited for: to skip it would read as a lost lease.
WITH mine AS (
    SELECT u.id FROM upstreams u JOIN unnest($2, $3, $4) AS l (kind, host, token)
        ON u.kind = l.kind AND u.host = l.host AND u.token = l.token
    WHERE u.owner = $1 AND u.expires_at > clock_timestamp() ORDER BY u.id FOR NO KEY UPDATE OF u
)
UPDATE upstreams u SET expires_at = clock_timestamp() + $5 * interval '1 ms' FROM mine WHERE u.id = mine.id
RETURNING u.kind, u.host, u.token, (SELECT r.session FROM rewinds r WHERE r.upstream = u.id AND r.session = u.session) AS rewind
