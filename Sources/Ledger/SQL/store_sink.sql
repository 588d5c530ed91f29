-- Makes a sink or changes what it is; no row where it is so already, or where it is there and $8 says that it must not be.
-- Where a sink begins is fixed when it is made. $1 name, $2 setting names, $3 setting values, $4 run kinds, $5 run prefix, $6 start seq or null,
-- $7 origin, $8 only where it is not there
INSERT INTO sinks AS s (name, setting_names, setting_values, run_kinds, run_prefix, start_seq, origin)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO UPDATE SET setting_names = $2, setting_values = $3, run_kinds = $4, run_prefix = $5, origin = $7,
    generation = s.generation + 1, changed_at = clock_timestamp()
WHERE NOT $8 AND (s.setting_names, s.setting_values, s.origin) IS DISTINCT FROM ($2::text[], $3::text[], $7)
RETURNING generation
