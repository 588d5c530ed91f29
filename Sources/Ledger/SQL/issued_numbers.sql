-- The highest that was given out for an upstream: the session's number, and the epoch of its numbering. $1 kind, $2 host
SELECT session, baseline_epoch AS epoch FROM upstreams WHERE kind = $1 AND host = $2 AND session IS NOT NULL AND baseline_epoch IS NOT NULL
