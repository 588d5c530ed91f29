-- Waits up to 2 s for each. $1 application names
SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
WHERE application_name = ANY ($1) AND pid <> pg_backend_pid() AND datname = current_database()
