-- What live workers say, of the sinks of $1. $2 how old a heartbeat may be, in ms
SELECT sink, worker, generation, state, since, heartbeat_at, breaker, delivered, per_second, failures, error, error_at, retry_at
FROM sink_consumers WHERE sink = ANY ($1) AND heartbeat_at > clock_timestamp() - $2 * interval '1 ms' ORDER BY sink, worker
