-- Locks the run's row and takes the time after the lock, so that the order of commits is the order of seq and of days.
-- $1 run id
SELECT no, last_seq, state, clock_timestamp() AS logged_at, (clock_timestamp() AT TIME ZONE 'UTC')::date AS day,
       (SELECT max(day) FROM run_days WHERE run = runs.no) AS last_day
FROM runs WHERE id = $1 FOR UPDATE
