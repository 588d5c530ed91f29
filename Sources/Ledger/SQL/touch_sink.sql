-- Workers begin it anew, with breakers that know nothing. $1 name
UPDATE sinks SET generation = generation + 1, changed_at = clock_timestamp() WHERE name = $1 RETURNING generation
