-- Gives sinks their cursors in a page of runs, where they lack them. A run's row is locked, so that no append passes unseen between the look at its
-- last seq and the cursor. $1 behind this run no, $2 runs of a page
WITH page AS (
    SELECT no, id, kind FROM runs WHERE no > $1 ORDER BY no LIMIT $2
), missing AS (
    SELECT p.no, s.name, s.start_seq, s.created_at FROM page p JOIN sinks s ON takes_run(s.run_kinds, s.run_prefix, p.kind, p.id)
    WHERE NOT EXISTS (SELECT FROM run_outbox o WHERE o.run = p.no AND o.sink = s.name)
), kept AS (
    SELECT s.name FROM sinks s WHERE s.name IN (SELECT name FROM missing) ORDER BY s.name FOR KEY SHARE
), locked AS (
    SELECT r.no, r.last_seq, r.started_at FROM runs r WHERE r.no IN (SELECT no FROM missing) ORDER BY r.no FOR SHARE
), made AS (
    INSERT INTO run_outbox (run, sink, next_seq, tail_seq)
    SELECT l.no, m.name, CASE WHEN l.started_at >= m.created_at THEN 1 ELSE coalesce(m.start_seq, l.last_seq + 1) END, l.last_seq
    FROM missing m JOIN kept USING (name) JOIN locked l USING (no)
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT (SELECT max(no) FROM page) AS last_no, (SELECT count(*) FROM made) AS made
