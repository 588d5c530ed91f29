-- Behind commit_raise_run.sql, which has set the day. $1 run no, $2 keys, $3 key sequences, $4 seqs
INSERT INTO run_keys (run, key, key_seq, seq, day)
SELECT $1, k.key, k.key_seq, k.seq, (SELECT last_day FROM runs WHERE no = $1)
FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS k (key, key_seq, seq)
ON CONFLICT (run, key) DO UPDATE SET key_seq = EXCLUDED.key_seq, seq = EXCLUDED.seq, day = EXCLUDED.day
