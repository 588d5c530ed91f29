-- $1 run no, $2 dedup keys, $3 seqs
INSERT INTO run_dedup (run, dedup_key, seq) SELECT $1, * FROM unnest($2::text[], $3::bigint[])
