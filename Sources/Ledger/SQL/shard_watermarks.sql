-- The baseline stands where it is ahead of the watermark, or where there is none: a session may open there. $1 shard
SELECT u.kind, u.host,
    CASE WHEN u.baseline_epoch IS NULL OR (w.epoch, w.seq) > (u.baseline_epoch, u.baseline_seq) THEN w.epoch ELSE u.baseline_epoch END AS epoch,
    CASE WHEN u.baseline_epoch IS NULL OR (w.epoch, w.seq) > (u.baseline_epoch, u.baseline_seq) THEN w.seq ELSE u.baseline_seq END AS seq
FROM upstreams u LEFT JOIN watermarks w ON w.upstream = u.id AND w.shard = $1
WHERE u.baseline_epoch IS NOT NULL OR w.epoch IS NOT NULL
