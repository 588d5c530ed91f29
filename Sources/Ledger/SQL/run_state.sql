-- $1 run id
SELECT no, state, last_seq, clock_timestamp() AS at FROM runs WHERE id = $1
