-- $1 run no, $2 state
UPDATE runs SET state = $2, finished_at = clock_timestamp() WHERE no = $1
