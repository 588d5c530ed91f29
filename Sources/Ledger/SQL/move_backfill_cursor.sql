-- $1 source, $2 cursor or null at the end, $3 listed with this page
UPDATE backfill_sources SET cursor = $2, listed = listed + $3, state = CASE WHEN $2::text IS NULL THEN 'listed' ELSE 'listing' END, error = '',
    changed_at = clock_timestamp()
WHERE source = $1
