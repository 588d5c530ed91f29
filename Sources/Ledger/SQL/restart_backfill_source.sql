-- Another pass from the beginning, which compares revisions and is counted anew. $1 source, $2 gaps seen
WITH forgotten AS (
    DELETE FROM backfill_progress WHERE source = $1
)
UPDATE backfill_sources SET state = 'listing', cursor = NULL, pass = pass + 1, listed = 0, refused = 0, restarts = 0, gaps_seen = $2, error = '',
    started_at = clock_timestamp(), changed_at = clock_timestamp()
WHERE source = $1
