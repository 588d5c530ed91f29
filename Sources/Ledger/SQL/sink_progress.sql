-- How far sinks are, those of $1. backlog: events that wait in runs that are not halted, also those that the filter will let pass by. lag_ms: the age of
-- the oldest that waits, among the runs that were served longest ago. sampled: how many of those are looked at.
SELECT n.name, w.pending, w.backlog, w.retry_at, w.attempts, w.error,
       h.halted, h.reason, h.run AS halted_run, coalesce(l.lag_ms, 0) AS lag_ms
FROM unnest($1::text[]) AS n (name)
CROSS JOIN LATERAL (
    SELECT count(*) AS pending, coalesce(sum(o.tail_seq - o.next_seq + 1), 0)::bigint AS backlog,
           min(o.retry_at) FILTER (WHERE o.retry_at > clock_timestamp()) AS retry_at, coalesce(max(o.attempts), 0) AS attempts,
           max(o.error) AS error
    FROM run_outbox o WHERE o.sink = n.name AND o.pending
) w
CROSS JOIN LATERAL (
    SELECT count(*) AS halted, min(o.halted_reason) AS reason, min(r.id) AS run
    FROM run_outbox o JOIN runs r ON r.no = o.run WHERE o.sink = n.name AND o.halted_reason IS NOT NULL
) h
CROSS JOIN LATERAL (
    SELECT greatest(0, extract(epoch FROM clock_timestamp() - min(e.logged_at)) * 1000)::bigint AS lag_ms
    FROM (SELECT o.run, o.next_seq FROM run_outbox o WHERE o.sink = n.name AND o.pending ORDER BY o.served_at LIMIT 32) p
    CROSS JOIN LATERAL (
        SELECT e.logged_at FROM run_events e
        WHERE e.run = p.run AND e.seq = p.next_seq
          AND e.day >= (SELECT coalesce(max(d.day), '-infinity'::date) FROM run_days d WHERE d.run = p.run AND d.first_seq <= p.next_seq)
        LIMIT 1
    ) e
) l
