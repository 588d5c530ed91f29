-- $1 run id, $2 keys
SELECT key, key_seq FROM run_keys WHERE run = (SELECT no FROM runs WHERE id = $1) AND key = ANY ($2::text[])
