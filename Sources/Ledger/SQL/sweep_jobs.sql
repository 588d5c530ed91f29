-- What is past its deadline waits again; with $2 also everything that is queued: the stream was lost. $1 limit, $2 whether the stream is empty
WITH late AS (
    SELECT did FROM backfill_jobs
    WHERE (state IN ('queued', 'fetching', 'streamed') AND deadline <= clock_timestamp()) OR ($2 AND state = 'queued' AND changed_at < clock_timestamp() - interval '1 s')
    LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE backfill_jobs j SET state = 'waiting', retry_at = clock_timestamp(), deadline = 'infinity', changed_at = clock_timestamp(),
    error = CASE WHEN j.state = 'queued' THEN j.error ELSE 'no progress until its deadline while ' || j.state END
FROM late WHERE j.did = late.did RETURNING j.did
