-- The least over all shards of what is committed; a shard without a watermark, or with one of an older numbering, counts as the baseline.
-- $1 kind, $2 host
SELECT p.epoch, p.seq
FROM upstreams u
CROSS JOIN LATERAL (
    SELECT CASE WHEN (w.epoch, w.seq) > (u.baseline_epoch, u.baseline_seq) THEN w.epoch ELSE u.baseline_epoch END AS epoch,
           CASE WHEN (w.epoch, w.seq) > (u.baseline_epoch, u.baseline_seq) THEN w.seq ELSE u.baseline_seq END AS seq
    FROM shards s LEFT JOIN watermarks w ON w.upstream = u.id AND w.shard = s.shard
) p
WHERE u.kind = $1 AND u.host = $2 AND u.baseline_epoch IS NOT NULL
ORDER BY p.epoch, p.seq LIMIT 1
