-- Another pass from the beginning, which compares revisions. $1 source, $2 token, $3 gaps seen
UPDATE backfill_sources SET state = 'listing', cursor = NULL, pass = pass + 1, listed = 0, gaps_seen = $3, changed_at = clock_timestamp()
WHERE source = $1 AND EXISTS (SELECT 1 FROM upstreams WHERE kind = 'backfill' AND host = $1 AND token = $2 FOR KEY SHARE)
