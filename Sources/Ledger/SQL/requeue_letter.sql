-- Offers an event again: one that was laid aside by itself; one that its run waits for by letting the run go on, and its letter is then over. $1 id
WITH letter AS (
    SELECT id, key, run, seq, state FROM dead_letters
    WHERE id = $1 AND queue = 'sink' AND state IN ('dead', 'halted', 'skipped') FOR UPDATE
), aside AS (
    UPDATE dead_letters d SET state = 'requeued', changed_at = clock_timestamp() FROM letter l WHERE d.id = l.id AND l.state <> 'halted'
), over AS (
    DELETE FROM dead_letters d USING letter l WHERE d.id = l.id AND l.state = 'halted'
), going AS (
    UPDATE run_outbox o SET halted_reason = NULL, error = NULL, attempts = 0, retry_at = '-infinity'
    FROM letter l JOIN runs r ON r.id = l.run WHERE l.state = 'halted' AND o.run = r.no AND o.sink = l.key AND o.next_seq = l.seq
)
SELECT key, run, seq, state FROM letter
