-- $1 kind, $2 host
SELECT endpoint FROM upstreams WHERE kind = $1 AND host = $2
