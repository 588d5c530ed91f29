-- $1 sink, $2 publisher, $3 ttl in ms, $4 limit. Least recently served first: by age, live runs would starve the others.
WITH chosen AS (
    SELECT o.run FROM run_outbox o
    WHERE o.pending AND o.sink = $1 AND o.retry_at <= clock_timestamp() AND (o.owner IS NULL OR o.expires_at <= clock_timestamp())
    ORDER BY o.served_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED
), claimed AS (
    UPDATE run_outbox o SET owner = $2, token = o.token + 1, expires_at = clock_timestamp() + $3 * interval '1 ms', served_at = clock_timestamp()
    FROM chosen WHERE o.run = chosen.run AND o.sink = $1
    RETURNING o.run, o.next_seq, o.tail_seq, o.token, o.epoch
)
SELECT r.id, c.next_seq, c.tail_seq, c.token, c.epoch FROM claimed c JOIN runs r ON r.no = c.run
