-- A worker's rows for the sinks that it is about to run; what they say of another generation is over.
-- $1 worker, $2 sinks, $3 generations
INSERT INTO sink_consumers AS c (sink, worker, generation, state, since, breaker, delivered, per_second, failures)
SELECT g.sink, $1, g.generation, 'starting', clock_timestamp(), 'closed', 0, 0, 0 FROM unnest($2::text[], $3::bigint[]) AS g (sink, generation)
ON CONFLICT (sink, worker) DO UPDATE SET generation = excluded.generation, state = 'starting', since = clock_timestamp(),
    heartbeat_at = clock_timestamp(), breaker = 'closed', per_second = 0, error = NULL, error_at = NULL, retry_at = NULL
