-- A page of what has a job or was named, in order of did, with what a phase is decided from. $1 after did, $2 limit
WITH page AS (
    (SELECT did, shard FROM backfill_jobs WHERE did > $1 ORDER BY did LIMIT $2)
    UNION
    (SELECT did, shard FROM repo_scope WHERE did > $1 ORDER BY did LIMIT $2)
    ORDER BY did LIMIT $2
), known AS (
    SELECT r.did, r.status, r.reason, r.rev
    FROM (SELECT shard, array_agg(did) AS dids FROM page GROUP BY shard) g CROSS JOIN LATERAL known_repositories(g.shard, g.dids) r
)
SELECT p.did, s.wanted, k.status, k.reason, k.rev, j.state, j.failures, j.retry_at, j.error
FROM page p LEFT JOIN backfill_jobs j ON j.did = p.did LEFT JOIN repo_scope s ON s.did = p.did LEFT JOIN known k ON k.did = p.did
ORDER BY p.did
