-- A fetcher takes a job: a new attempt, and whatever was wanted before this moment is covered by it. One that is being fetched only where its deadline
-- is nearer than $3: its fetcher has fallen silent. $1 did, $2 deadline in ms, $3 in ms
WITH claimed AS (
    UPDATE backfill_jobs SET state = 'fetching', attempt = nextval('backfill_attempts'), again = false,
        deadline = clock_timestamp() + $2 * interval '1 ms', changed_at = clock_timestamp()
    WHERE did = $1
      AND (state IN ('waiting', 'queued') OR (state = 'fetching' AND deadline <= clock_timestamp() + $3 * interval '1 ms'))
    RETURNING did, shard, source, reason, attempt, failures, host
)
SELECT c.did, c.shard, c.source, c.reason, c.attempt, c.failures, c.host, r.rev, r.status
FROM claimed c LEFT JOIN LATERAL known_repositories(c.shard, ARRAY[c.did]) r ON true
