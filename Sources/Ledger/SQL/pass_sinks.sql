-- Sinks that still need something of a day that is dropped are moved behind it, and told what they were not given. $1 day, $2 why
WITH ends AS (
    SELECT r.run, r.first_seq, coalesce(
               (SELECT min(n.first_seq) - 1 FROM run_days n WHERE n.run = r.run AND n.day > r.day), runs.last_seq) AS last_seq
    FROM run_days r JOIN runs ON runs.no = r.run WHERE r.day = $1
), behind AS (
    SELECT o.run, o.sink, o.next_seq, e.last_seq FROM ends e JOIN run_outbox o ON o.run = e.run WHERE o.next_seq <= e.last_seq
    ORDER BY o.run, o.sink FOR UPDATE OF o
), noted AS (
    INSERT INTO outbox_gaps (run, sink, from_seq, to_seq, why) SELECT run, sink, next_seq, last_seq, $2 FROM behind ON CONFLICT DO NOTHING
)
UPDATE run_outbox o SET next_seq = b.last_seq + 1, token = o.token + 1, owner = NULL, expires_at = '-infinity',
    halted_reason = NULL, error = $2
FROM behind b WHERE o.run = b.run AND o.sink = b.sink
