-- The log's daily partitions, oldest first: their day, their size, and whether a sink still needs something of them. A sink that is paused or halted does too.
-- A run's last seq of a day is the one before the first of its next day.
SELECT d.day, d.name, pg_total_relation_size(d.id)::bigint AS bytes,
       EXISTS (
           SELECT 1 FROM run_days r JOIN runs ON runs.no = r.run JOIN run_outbox o ON o.run = r.run
           WHERE r.day = d.day AND o.next_seq <= coalesce(
               (SELECT min(n.first_seq) - 1 FROM run_days n WHERE n.run = r.run AND n.day > r.day), runs.last_seq)
       ) AS is_needed
FROM (
    SELECT c.oid AS id, c.relname::text AS name, to_date(right(c.relname, 8), 'YYYYMMDD') AS day
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'run_events'::regclass AND c.relname ~ '^run_events_[0-9]{8}$'
) d
WHERE d.day < $1
ORDER BY d.day
