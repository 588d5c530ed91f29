-- As add_jobs.sql, of those that have a job and were not removed; gives them. In order of did. $1 dids, $2 reason
WITH tracked AS (
    SELECT j.did FROM backfill_jobs j
    WHERE j.did = ANY ($1) AND NOT EXISTS (SELECT 1 FROM repo_scope s WHERE s.did = j.did AND NOT s.wanted)
    ORDER BY j.did FOR UPDATE OF j
)
UPDATE backfill_jobs j SET reason = $2, again = j.state IN ('fetching', 'streamed'),
    state = CASE WHEN j.state IN ('done', 'refused', 'dead') THEN 'waiting' ELSE j.state END,
    retry_at = CASE WHEN j.state = 'waiting' THEN least(j.retry_at, clock_timestamp()) ELSE clock_timestamp() END,
    failures = CASE WHEN j.state IN ('done', 'refused', 'dead') THEN 0 ELSE j.failures END, changed_at = clock_timestamp()
FROM tracked t WHERE j.did = t.did RETURNING j.did
