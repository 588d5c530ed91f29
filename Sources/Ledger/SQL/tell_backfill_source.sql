-- What the owner counted of a pass; ends it where it has a last state: only one whose list was read to its end. No row where another pass began.
-- $1 source, $2 pass, $3 open, $4 failing, $5 whether it has finished
UPDATE backfill_sources SET open = $3, failing = $4, state = CASE WHEN $5 THEN 'finished' ELSE state END,
    changed_at = CASE WHEN $5 THEN clock_timestamp() ELSE changed_at END
WHERE source = $1 AND pass = $2 AND (NOT $5 OR state = 'listed')
