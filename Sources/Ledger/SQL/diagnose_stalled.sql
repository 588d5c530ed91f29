-- Runs that were started, are no live logs, and have had no event for $1 ms; $2 limit
SELECT r.id, r.kind, r.last_seq, (extract(epoch FROM clock_timestamp() - coalesce(r.last_event_at, r.started_at)) * 1000)::bigint AS age_ms
FROM runs r
WHERE r.state = 'started' AND r.kind NOT IN ('firehose', 'labels', 'changes')
  AND coalesce(r.last_event_at, r.started_at) < clock_timestamp() - $1 * interval '1 ms'
ORDER BY age_ms DESC LIMIT $2
