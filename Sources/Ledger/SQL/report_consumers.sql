-- Heartbeats. Rows of sinks that were removed do not come back. $1 worker, then side by side: $2 sinks, $3 generations, $4 states, $5 since,
-- $6 breakers, $7 delivered, $8 a second, $9 failures, $10 errors, $11 error times, $12 retry times
INSERT INTO sink_consumers AS c (sink, worker, generation, state, since, breaker, delivered, per_second, failures, error, error_at, retry_at)
SELECT g.sink, $1, g.generation, g.state, g.since, g.breaker, g.delivered, g.per_second, g.failures, g.error, g.error_at, g.retry_at
FROM unnest($2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::text[], $7::bigint[], $8::float8[], $9::bigint[], $10::text[],
    $11::timestamptz[], $12::timestamptz[])
    AS g (sink, generation, state, since, breaker, delivered, per_second, failures, error, error_at, retry_at)
WHERE EXISTS (SELECT FROM sinks s WHERE s.name = g.sink)
ON CONFLICT (sink, worker) DO UPDATE SET generation = excluded.generation, state = excluded.state, since = excluded.since,
    breaker = excluded.breaker, delivered = excluded.delivered, per_second = excluded.per_second, failures = excluded.failures,
    error = excluded.error, error_at = excluded.error_at, retry_at = excluded.retry_at, heartbeat_at = clock_timestamp()
