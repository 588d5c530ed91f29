-- Raises a run's last seq by a batch. From here on the run's row is locked, so that the order of commits is the order of seq and of days;
-- a batch that waited for it takes the time anew. A clock that steps back over midnight puts no later seq on an earlier day.
-- No row where the run is not started. $1 run id, $2 number of events
WITH raised AS (
    UPDATE runs SET last_seq = last_seq + $2, last_event_at = clock_timestamp(),
        last_day = greatest(last_day, (clock_timestamp() AT TIME ZONE 'UTC')::date)
    WHERE id = $1 AND state = 'started'
    RETURNING no, last_seq - $2 + 1 AS first_seq, last_event_at, last_day
), days AS (
    INSERT INTO run_days (run, day, first_seq) SELECT no, last_day, first_seq FROM raised ON CONFLICT (run, day) DO NOTHING
)
SELECT no, first_seq, last_event_at AS logged_at, last_day AS day FROM raised
