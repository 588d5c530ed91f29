-- Leaves an event undelivered for good; a run that waits for it goes on behind it. $1 id
WITH letter AS (
    UPDATE dead_letters d SET state = 'skipped', changed_at = clock_timestamp()
    FROM (SELECT id, state FROM dead_letters WHERE id = $1 FOR UPDATE) old
    WHERE d.id = old.id AND d.queue = 'sink' AND old.state IN ('dead', 'halted', 'requeued')
    RETURNING d.key, d.run, d.seq, old.state
), going AS (
    UPDATE run_outbox o SET next_seq = l.seq + 1, halted_reason = NULL, error = NULL, attempts = 0, retry_at = '-infinity', token = o.token + 1,
        owner = NULL, expires_at = '-infinity'
    FROM letter l JOIN runs r ON r.id = l.run WHERE l.state = 'halted' AND o.run = r.no AND o.sink = l.key AND o.next_seq = l.seq
)
SELECT key, run, seq, state FROM letter
