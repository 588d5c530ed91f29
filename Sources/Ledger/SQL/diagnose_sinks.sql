-- Every desired sink with what each worker says of it, also workers that have been silent; one row without a worker where none says anything.
-- $1 limit. Ages in milliseconds.
SELECT s.name, s.state AS desired, s.origin, (extract(epoch FROM clock_timestamp() - s.changed_at) * 1000)::bigint AS changed_age_ms,
       c.worker, c.state, c.breaker, c.failures, c.error,
       (extract(epoch FROM clock_timestamp() - c.since) * 1000)::bigint AS since_age_ms,
       (extract(epoch FROM clock_timestamp() - c.heartbeat_at) * 1000)::bigint AS heartbeat_age_ms
FROM (SELECT * FROM sinks ORDER BY name LIMIT $1) s LEFT JOIN sink_consumers c ON c.sink = s.name ORDER BY s.name, c.worker
