-- Jobs of a page: what is in nobody's hands yet, and in a later pass also what is behind the listed revision, or listed without one. Nothing of what was
-- told to be left out. The cursor moves with it. In order of did.
-- $1 source, $2 dids, $3 shards, $4 revs, $5 final states or empty, $6 whether revisions are compared, $7 cursor or null at the end, $8 listed with this page
WITH stored AS (
    INSERT INTO backfill_jobs AS j (did, shard, source, reason, state, error)
    SELECT p.did, p.shard, $1, 'listed', CASE WHEN p.final = '' THEN 'waiting' ELSE 'refused' END, p.final
    FROM unnest($2::text[], $3::int[], $4::text[], $5::text[]) AS p (did, shard, rev, final)
    WHERE NOT EXISTS (SELECT 1 FROM repo_scope s WHERE s.did = p.did AND NOT s.wanted)
    ORDER BY p.did COLLATE "C"
    ON CONFLICT (did) DO UPDATE SET state = 'waiting', reason = 'behind', source = excluded.source, retry_at = clock_timestamp(), failures = 0,
        changed_at = clock_timestamp()
    WHERE $6 AND j.state IN ('done', 'refused', 'dead') AND excluded.state = 'waiting'
      AND EXISTS (SELECT 1 FROM unnest($2::text[], $3::int[], $4::text[]) AS q (did, shard, rev)
                  LEFT JOIN repositories r ON r.shard = q.shard AND r.did = q.did
                  WHERE q.did = excluded.did AND (r.did IS NULL OR q.rev = '' OR r.rev < q.rev))
    RETURNING j.state
), moved AS (
    UPDATE backfill_sources SET cursor = $7, listed = listed + $8, refused = refused + (SELECT count(*) FROM stored WHERE state = 'refused'),
        state = CASE WHEN $7::text IS NULL THEN 'listed' ELSE 'listing' END, error = '', changed_at = clock_timestamp()
    WHERE source = $1
)
SELECT count(*) FILTER (WHERE state = 'waiting') AS made FROM stored
