-- A snapshot of each is wanted that begins after this moment: an attempt under way is followed by another, and what waits is tried at once. Of those that
-- are not new only where there is no job. In order of did. $1 dids, $2 shards, $3 are new, $4 reason
INSERT INTO backfill_jobs AS j (did, shard, source, reason)
SELECT g.did, g.shard, '', $4 FROM unnest($1::text[], $2::int[], $3::boolean[]) AS g (did, shard, is_new)
WHERE g.is_new OR NOT EXISTS (SELECT 1 FROM backfill_jobs b WHERE b.did = g.did)
ORDER BY g.did COLLATE "C"
ON CONFLICT (did) DO UPDATE SET reason = excluded.reason, again = j.state IN ('fetching', 'streamed'),
    state = CASE WHEN j.state IN ('done', 'refused', 'dead') THEN 'waiting' ELSE j.state END,
    retry_at = CASE WHEN j.state = 'waiting' THEN least(j.retry_at, clock_timestamp()) ELSE clock_timestamp() END,
    failures = CASE WHEN j.state IN ('done', 'refused', 'dead') THEN 0 ELSE j.failures END, changed_at = clock_timestamp()
