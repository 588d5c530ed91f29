-- The least seq of a run above $2 that the log still has. $1 run id, $2 after
SELECT min(seq) AS seq FROM (
    SELECT min(e.seq) AS seq FROM run_events e WHERE e.run = (SELECT no FROM runs WHERE id = $1) AND e.seq > $2
    UNION ALL
    SELECT min(k.seq) FROM run_ends k WHERE k.run = (SELECT no FROM runs WHERE id = $1) AND k.seq > $2
) found
