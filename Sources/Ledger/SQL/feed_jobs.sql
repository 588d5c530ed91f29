-- Marks jobs that are due as queued and gives them; the caller puts them into the stream. Jobs of parked hosts wait. $1 limit, $2 deadline in ms
WITH due AS (
    SELECT did FROM backfill_jobs j
    WHERE state = 'waiting' AND retry_at <= clock_timestamp()
      AND NOT EXISTS (SELECT 1 FROM parked_hosts p WHERE p.host = j.host AND p.until > clock_timestamp())
    ORDER BY retry_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE backfill_jobs j SET state = 'queued', deadline = clock_timestamp() + $2 * interval '1 ms', changed_at = clock_timestamp()
FROM due WHERE j.did = due.did RETURNING j.did
