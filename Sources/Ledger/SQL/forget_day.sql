DELETE FROM run_days WHERE day = $1
