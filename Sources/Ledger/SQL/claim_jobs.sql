-- A fetcher takes jobs: new attempts, and whatever was wanted before this moment is covered by them. One that is being fetched only where its deadline is
-- nearer than $3: its fetcher has fallen silent. In order of did, as whoever locks several. $1 dids, $2 deadline in ms, $3 in ms
-- Each is found by its key: a plain condition on state would have the indexes of all that wait or are under way read for it.
WITH free AS (
    SELECT j.did FROM (SELECT did FROM unnest($1::text[]) AS g (did) ORDER BY did) g
    CROSS JOIN LATERAL (
        SELECT did FROM backfill_jobs
        WHERE did = g.did
          AND CASE state WHEN 'fetching' THEN deadline <= clock_timestamp() + $3 * interval '1 ms' ELSE state IN ('waiting', 'queued') END
        FOR UPDATE
    ) j
), claimed AS (
    UPDATE backfill_jobs j SET state = 'fetching', attempt = nextval('backfill_attempts'), again = false,
        deadline = clock_timestamp() + $2 * interval '1 ms', changed_at = clock_timestamp()
    FROM free WHERE j.did = free.did
    RETURNING j.did, j.shard, j.source, j.reason, j.attempt, j.failures, j.host
)
SELECT c.did, c.shard, c.source, c.reason, c.attempt, c.failures, c.host, r.rev, r.status
FROM claimed c LEFT JOIN LATERAL known_repositories(c.shard, ARRAY[c.did]) r ON true
