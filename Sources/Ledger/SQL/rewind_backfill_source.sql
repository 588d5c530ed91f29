-- The same pass from its first page once more. $1 source, $2 token, $3 error
UPDATE backfill_sources SET state = 'listing', cursor = NULL, listed = 0, refused = 0, restarts = restarts + 1, error = $3, changed_at = clock_timestamp()
WHERE source = $1 AND EXISTS (SELECT 1 FROM upstreams WHERE kind = 'backfill' AND host = $1 AND token = $2 FOR KEY SHARE)
