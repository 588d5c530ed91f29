-- A fetcher takes a job: a new attempt, and whatever was wanted before this moment is covered by it. $1 did, $2 deadline in ms
WITH claimed AS (
    UPDATE backfill_jobs SET state = 'fetching', attempt = nextval('backfill_attempts'), again = false,
        deadline = clock_timestamp() + $2 * interval '1 ms', changed_at = clock_timestamp()
    WHERE did = $1 AND state IN ('waiting', 'queued', 'fetching')
    RETURNING did, shard, source, reason, attempt, failures, host
)
SELECT c.did, c.shard, c.source, c.reason, c.attempt, c.failures, c.host, r.rev, r.status
FROM claimed c LEFT JOIN LATERAL known_repositories(c.shard, ARRAY[c.did]) r ON true
