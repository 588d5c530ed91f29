-- $1 kind
SELECT EXISTS (SELECT FROM upstreams WHERE kind = $1) AS is_there
