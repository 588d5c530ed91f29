-- Events of sinks that wait for a person: dead, or halted where their run waits for them. The newest one's error. Ages in milliseconds.
SELECT key AS sink, count(*) FILTER (WHERE state = 'dead') AS dead, count(*) FILTER (WHERE state = 'halted') AS halted,
       (extract(epoch FROM clock_timestamp() - min(dead_at)) * 1000)::bigint AS oldest_age_ms,
       (array_agg(id ORDER BY id DESC))[1] AS newest_id, (array_agg(error ORDER BY id DESC))[1] AS newest_error
FROM dead_letters WHERE queue = 'sink' AND state IN ('dead', 'halted') GROUP BY key ORDER BY key
