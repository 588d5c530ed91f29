INSERT INTO upstreams (kind, host) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM upstreams WHERE kind = $1 AND host = $2)
ON CONFLICT (kind, host) DO NOTHING
