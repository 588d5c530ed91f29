-- $1 run id, $2 after, $3 limit, $4 bytes of bodies: at least one row, and no further one behind so many bytes.
-- The first day is looked up in run_days, so that only the partitions from there on are read. A terminal event whose day was dropped stands
-- in run_ends; while it is being copied there, it may stand in both.
SELECT seq, kind, did, rev, collection, rkey, action, cid, live, host, time, mark, logged_at, body
FROM (
    SELECT e.*, sum(octet_length(e.body)) OVER (ORDER BY e.seq) - octet_length(e.body) AS bytes_before
    FROM (
        SELECT e.* FROM run_events e
        WHERE e.run = (SELECT no FROM runs WHERE id = $1) AND e.seq > $2 AND e.seq <= $2 + $3
          AND e.day >= (SELECT coalesce(max(d.day), '-infinity'::date) FROM run_days d
                        WHERE d.run = (SELECT no FROM runs WHERE id = $1) AND d.first_seq <= $2 + 1)
        UNION ALL
        SELECT k.* FROM run_ends k
        WHERE k.run = (SELECT no FROM runs WHERE id = $1) AND k.seq > $2 AND k.seq <= $2 + $3
          AND NOT EXISTS (SELECT 1 FROM run_events x WHERE x.run = k.run AND x.seq = k.seq)
    ) e
) page
WHERE bytes_before < $4
ORDER BY seq
