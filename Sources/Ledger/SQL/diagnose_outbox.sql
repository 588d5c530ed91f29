-- Rows of outlets that wait or are halted, the worst first: a sink's are told with it, and would hide them. With a run all of that run, of sinks too.
-- $1 run id or null, $2 limit
SELECT r.id, r.state, o.sink, o.next_seq, o.tail_seq, o.halted_reason, o.error, o.attempts, o.owner,
       CASE WHEN isfinite(o.expires_at) THEN (extract(epoch FROM o.expires_at - clock_timestamp()) * 1000)::bigint END AS lease_ms_left,
       CASE WHEN isfinite(o.retry_at) THEN (extract(epoch FROM o.retry_at - clock_timestamp()) * 1000)::bigint END AS retry_in_ms,
       (extract(epoch FROM clock_timestamp() - o.published_at) * 1000)::bigint AS published_age_ms,
       (extract(epoch FROM clock_timestamp() - r.last_event_at) * 1000)::bigint AS event_age_ms
FROM run_outbox o JOIN runs r ON r.no = o.run
WHERE CASE WHEN $1::text IS NULL THEN (o.pending OR o.halted_reason IS NOT NULL) AND NOT EXISTS (SELECT FROM sinks s WHERE s.name = o.sink)
    ELSE r.id = $1 END
ORDER BY o.halted_reason IS NULL, o.tail_seq - o.next_seq DESC, r.id, o.sink LIMIT $2
