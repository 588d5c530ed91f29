-- $1 run id, $2 sink, $3 token, $4 error, $5 retry after in ms
UPDATE run_outbox o SET owner = NULL, expires_at = '-infinity', retry_at = clock_timestamp() + $5 * interval '1 ms', attempts = attempts + 1, error = $4
FROM runs r WHERE r.id = $1 AND o.run = r.no AND o.sink = $2 AND o.token = $3
