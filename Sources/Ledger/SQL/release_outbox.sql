-- Lets any publisher take a (run, sink) again at once. Whoever had it can mark nothing more. $1 run id, $2 sink
UPDATE run_outbox o SET owner = NULL, token = o.token + 1, expires_at = '-infinity', retry_at = '-infinity', attempts = 0, halted_reason = NULL,
    error = NULL
FROM runs r WHERE r.id = $1 AND o.run = r.no AND o.sink = $2
RETURNING o.next_seq, o.tail_seq
