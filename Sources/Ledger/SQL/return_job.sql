-- An attempt that ended without a snapshot: it waits again. $1 did, $2 attempt, $3 host, $4 error, $5 retry after in ms, $6 failures to add
UPDATE backfill_jobs SET state = 'waiting', host = $3, error = $4, retry_at = clock_timestamp() + $5 * interval '1 ms', failures = failures + $6,
    deadline = 'infinity', changed_at = clock_timestamp()
WHERE did = $1 AND attempt = $2 AND state IN ('fetching', 'streamed')
