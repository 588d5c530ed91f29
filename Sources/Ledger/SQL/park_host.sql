-- $1 host, $2 for ms, $3 reason
INSERT INTO parked_hosts AS p (host, until, failures, reason) VALUES ($1, clock_timestamp() + $2 * interval '1 ms', 1, $3)
ON CONFLICT (host) DO UPDATE SET until = greatest(p.until, excluded.until), failures = p.failures + 1, reason = excluded.reason
