-- Locks a run's row until the end of the transaction: who appends, or ends it, comes after whoever did before. $1 run id
SELECT no, state, last_seq, clock_timestamp() AS at FROM runs WHERE id = $1 FOR NO KEY UPDATE
