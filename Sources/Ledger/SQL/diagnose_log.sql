-- The log's days that have no partition, of today and the next two, whether anything stands in the default one, and when retention was last done.
SELECT array(
           SELECT to_char(d.day, 'YYYY-MM-DD')
           FROM (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date + i AS day FROM generate_series(0, 2) AS i) d
           WHERE to_regclass(format('%I.%I', current_schema(), 'run_events_' || to_char(d.day, 'YYYYMMDD'))) IS NULL ORDER BY d.day
       ) AS missing_days,
       EXISTS (SELECT 1 FROM run_events_default) AS has_default_rows,
       (SELECT (extract(epoch FROM clock_timestamp() - done_at) * 1000)::bigint FROM duties WHERE name = 'retention') AS retention_age_ms,
       coalesce((SELECT note FROM duties WHERE name = 'retention'), '') AS retention_note
