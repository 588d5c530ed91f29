-- $1 kind, $2 host, $3 worker
SELECT owner FROM upstreams WHERE kind = $1 AND host = $2 AND owner <> $3 AND expires_at <= clock_timestamp()
