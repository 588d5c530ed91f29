-- The baseline stands where there is no watermark: a session may open there. A watermark of an older numbering stays what it is. $1 shard
SELECT u.kind, u.host,
    CASE WHEN w.epoch IS NULL THEN u.baseline_epoch ELSE w.epoch END AS epoch,
    CASE WHEN w.epoch IS NULL THEN u.baseline_seq ELSE w.seq END AS seq
FROM upstreams u LEFT JOIN watermarks w ON w.upstream = u.id AND w.shard = $1
WHERE u.baseline_epoch IS NOT NULL OR w.epoch IS NOT NULL
