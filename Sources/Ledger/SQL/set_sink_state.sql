-- $1 name, $2 running or paused; no row where there is no such sink
UPDATE sinks SET state = $2, generation = generation + CASE WHEN state = $2 THEN 0 ELSE 1 END, changed_at = clock_timestamp()
WHERE name = $1 RETURNING generation
