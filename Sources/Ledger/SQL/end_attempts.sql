-- How attempts ended in the hands of the shard's owner: done, refused, or retry (after so many ms). Counted by source where it was the first end.
-- In order of did. $1 shard, $2 dids, $3 attempts, $4 outcomes, $5 errors, $6 retry after in ms
WITH given AS (
    SELECT j.did, g.outcome, g.error, g.retry_ms, j.source, j.records, j.bytes, j.reason, j.again
    FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[]) AS g (did, attempt, outcome, error, retry_ms)
    JOIN backfill_jobs j ON j.did = g.did AND j.attempt = g.attempt AND j.state IN ('fetching', 'streamed')
    ORDER BY j.did FOR UPDATE OF j
), ended AS (
    UPDATE backfill_jobs j SET
        state = CASE WHEN given.outcome = 'retry' OR given.again THEN 'waiting' ELSE given.outcome END,
        error = given.error, again = false, deadline = 'infinity',
        failures = CASE WHEN given.outcome = 'retry' THEN j.failures + 1 ELSE 0 END,
        retry_at = clock_timestamp() + given.retry_ms * interval '1 ms', changed_at = clock_timestamp()
    FROM given WHERE j.did = given.did
)
INSERT INTO backfill_progress AS p (source, shard, done, refused, records, bytes)
SELECT source, $1, count(*) FILTER (WHERE outcome = 'done'), count(*) FILTER (WHERE outcome = 'refused'),
       coalesce(sum(records) FILTER (WHERE outcome = 'done'), 0), coalesce(sum(bytes) FILTER (WHERE outcome = 'done'), 0)
FROM given WHERE outcome <> 'retry' AND reason IN ('listed', 'behind') GROUP BY source
ON CONFLICT (source, shard) DO UPDATE SET done = p.done + excluded.done, refused = p.refused + excluded.refused,
    records = p.records + excluded.records, bytes = p.bytes + excluded.bytes
