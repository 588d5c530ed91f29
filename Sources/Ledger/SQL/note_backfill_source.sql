-- $1 source, $2 token, $3 state or null, $4 error
UPDATE backfill_sources SET state = coalesce($3, state), error = $4, changed_at = clock_timestamp()
WHERE source = $1 AND EXISTS (SELECT 1 FROM upstreams WHERE kind = 'backfill' AND host = $1 AND token = $2 FOR KEY SHARE)
