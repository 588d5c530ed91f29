-- Stops a run in a sink at an event that is refused, and keeps the event for who looks. $1 run id, $2 sink, $3 token, $4 seq, $5 error, $6 attempts,
-- $7 payload, $8 reason
WITH stopped AS (
    UPDATE run_outbox o SET halted_reason = $8, error = $5, attempts = o.attempts + $6, owner = NULL, expires_at = '-infinity', next_seq = $4
    FROM runs r WHERE r.id = $1 AND o.run = r.no AND o.sink = $2 AND o.token = $3 AND o.next_seq <= $4
    RETURNING r.id
)
INSERT INTO dead_letters AS d (queue, key, run, seq, error, attempts, payload, state)
SELECT 'sink', $2, id, $4, $5, $6, $7, 'halted' FROM stopped
ON CONFLICT (key, run, seq) WHERE queue = 'sink' DO UPDATE SET state = 'halted', error = excluded.error, attempts = d.attempts + excluded.attempts,
    payload = excluded.payload, changed_at = clock_timestamp()
RETURNING id
