-- Moves a cursor behind an event that is refused and keeps the event, both or neither; no row where the claim is not ours any more.
-- $1 run id, $2 sink, $3 token, $4 seq, $5 error, $6 attempts, $7 payload
WITH moved AS (
    UPDATE run_outbox o SET next_seq = $4 + 1, attempts = 0, error = NULL, published_at = clock_timestamp(), owner = NULL,
        expires_at = '-infinity'
    FROM runs r WHERE r.id = $1 AND o.run = r.no AND o.sink = $2 AND o.token = $3 AND o.next_seq <= $4
    RETURNING r.id
)
INSERT INTO dead_letters AS d (queue, key, run, seq, error, attempts, payload)
SELECT 'sink', $2, id, $4, $5, $6, $7 FROM moved
ON CONFLICT (key, run, seq) WHERE queue = 'sink' DO UPDATE SET state = 'dead', error = excluded.error, attempts = d.attempts + excluded.attempts,
    payload = excluded.payload, changed_at = clock_timestamp()
RETURNING id
