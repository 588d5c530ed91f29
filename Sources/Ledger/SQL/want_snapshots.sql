-- A snapshot of each is wanted that begins after this moment: an attempt under way is followed by another. In order of did. $1 shard, $2 dids, $3 reasons
INSERT INTO backfill_jobs AS j (did, shard, source, reason)
SELECT g.did, $1, '', g.reason FROM unnest($2::text[], $3::text[]) AS g (did, reason) ORDER BY g.did COLLATE "C"
ON CONFLICT (did) DO UPDATE SET reason = excluded.reason, again = j.state IN ('fetching', 'streamed'),
    state = CASE WHEN j.state IN ('done', 'refused', 'dead') THEN 'waiting' ELSE j.state END,
    retry_at = CASE WHEN j.state IN ('done', 'refused', 'dead') THEN clock_timestamp() ELSE j.retry_at END,
    failures = CASE WHEN j.state IN ('done', 'refused', 'dead') THEN 0 ELSE j.failures END, changed_at = clock_timestamp()
