-- $1 kind, $2 host, $3 token
UPDATE upstreams SET owner = NULL, expires_at = '-infinity' WHERE kind = $1 AND host = $2 AND token = $3
