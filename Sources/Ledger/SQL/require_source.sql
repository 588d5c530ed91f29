-- First statement of a page: fails where another process owns the enumeration. $1 source, $2 token
SELECT require_fence((SELECT 1 FROM upstreams WHERE kind = 'backfill' AND host = $1 AND token = $2 FOR KEY SHARE))
