-- A wake-up for publishers, behind the COMMIT. $1 run id
SELECT pg_notify('weir_append_' || current_schema(), $1)
