-- Letters that are to be delivered again, for one worker: retried by nobody else before the time is over. $1 sink, $2 limit, $3 ms until another may
WITH chosen AS (
    SELECT id FROM dead_letters WHERE queue = 'sink' AND key = $1 AND state = 'requeued' AND changed_at <= clock_timestamp()
    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE dead_letters d SET changed_at = clock_timestamp() + $3 * interval '1 ms' FROM chosen WHERE d.id = chosen.id RETURNING d.id, d.run, d.seq
