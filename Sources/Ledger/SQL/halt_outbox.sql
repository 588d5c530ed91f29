-- $1 run id, $2 sink, $3 token, $4 reason
UPDATE run_outbox o SET owner = NULL, expires_at = '-infinity', halted_reason = $4, error = $4
FROM runs r WHERE r.id = $1 AND o.run = r.no AND o.sink = $2 AND o.token = $3
