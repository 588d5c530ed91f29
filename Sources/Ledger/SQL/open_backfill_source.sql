-- The row of a host's enumeration, made at the first call. Gaps that were declared before it began are none of its cares. Another method is another pass.
-- $1 source, $2 token, $3 method
WITH owned AS (
    SELECT id FROM upstreams WHERE kind = 'backfill' AND host = $1 AND token = $2 FOR KEY SHARE
)
INSERT INTO backfill_sources AS s (source, method, gaps_seen)
SELECT $1, $3, (SELECT count(*) FROM declared_gaps g JOIN upstreams u ON u.id = g.upstream WHERE u.kind = 'firehose') FROM owned
ON CONFLICT (source) DO UPDATE SET
    cursor = CASE WHEN s.method = excluded.method THEN s.cursor END,
    state = CASE WHEN s.method = excluded.method THEN s.state ELSE 'listing' END,
    pass = CASE WHEN s.method = excluded.method THEN s.pass ELSE s.pass + 1 END,
    listed = CASE WHEN s.method = excluded.method THEN s.listed ELSE 0 END,
    refused = CASE WHEN s.method = excluded.method THEN s.refused ELSE 0 END,
    restarts = CASE WHEN s.method = excluded.method THEN s.restarts ELSE 0 END,
    started_at = CASE WHEN s.method = excluded.method THEN s.started_at ELSE clock_timestamp() END,
    method = excluded.method, error = ''
RETURNING method, cursor, state, pass, restarts, gaps_seen, listed, started_at
