-- $1 run id, $2 dedup keys
SELECT dedup_key, seq FROM run_dedup WHERE run = (SELECT no FROM runs WHERE id = $1) AND dedup_key = ANY ($2::text[])
