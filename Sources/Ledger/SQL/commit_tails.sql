-- Goes out with the COMMIT, since publishers work on these rows: locked for longer they would be skipped for as long. $1 run no, $2 last seq
UPDATE run_outbox SET tail_seq = $2 WHERE run = $1
