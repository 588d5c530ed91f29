-- $1 did, $2 attempt, $3 host, $4 records, $5 bytes, $6 deadline in ms
UPDATE backfill_jobs SET state = 'streamed', host = $3, error = '', records = $4, bytes = $5, deadline = clock_timestamp() + $6 * interval '1 ms',
    changed_at = clock_timestamp()
WHERE did = $1 AND attempt = $2 AND state = 'fetching'
