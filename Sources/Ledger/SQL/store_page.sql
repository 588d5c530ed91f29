-- Jobs of a page: what is in nobody's hands yet, and in a later pass also what is behind the listed revision. Nothing of what was told to be left out.
-- In order of did. $1 source, $2 dids, $3 shards, $4 revs, $5 final states or empty, $6 whether revisions are compared
INSERT INTO backfill_jobs AS j (did, shard, source, reason, state, error)
SELECT p.did, p.shard, $1, 'listed', CASE WHEN p.final = '' THEN 'waiting' ELSE 'refused' END, p.final
FROM unnest($2::text[], $3::int[], $4::text[], $5::text[]) AS p (did, shard, rev, final)
WHERE NOT EXISTS (SELECT 1 FROM repo_scope s WHERE s.did = p.did AND NOT s.wanted)
ORDER BY p.did
ON CONFLICT (did) DO UPDATE SET state = 'waiting', reason = 'behind', retry_at = clock_timestamp(), failures = 0, changed_at = clock_timestamp()
WHERE $6 AND j.state IN ('done', 'refused', 'dead') AND excluded.state = 'waiting'
  AND EXISTS (SELECT 1 FROM unnest($2::text[], $3::int[], $4::text[]) AS q (did, shard, rev)
              LEFT JOIN repositories r ON r.shard = q.shard AND r.did = q.did
              WHERE q.did = excluded.did AND (r.did IS NULL OR r.rev < q.rev))
