-- Runs that halted or wait for another attempt go on where they stand. $1 sink, $2 run id or null
UPDATE run_outbox o SET halted_reason = NULL, error = NULL, attempts = 0, retry_at = '-infinity'
FROM runs r WHERE o.sink = $1 AND r.no = o.run AND ($2::text IS NULL OR r.id = $2)
    AND (o.halted_reason IS NOT NULL OR o.error IS NOT NULL OR o.retry_at > clock_timestamp())
