-- The row of a host's enumeration, made at the first call. $1 source, $2 token, $3 method
WITH owned AS (
    SELECT id FROM upstreams WHERE kind = 'backfill' AND host = $1 AND token = $2 FOR KEY SHARE
)
INSERT INTO backfill_sources AS s (source, method) SELECT $1, $3 FROM owned
ON CONFLICT (source) DO UPDATE SET cursor = CASE WHEN s.method = excluded.method THEN s.cursor END,
    state = CASE WHEN s.method = excluded.method THEN s.state ELSE 'listing' END, method = excluded.method, error = ''
RETURNING method, cursor, state, pass, gaps_seen, listed, started_at
