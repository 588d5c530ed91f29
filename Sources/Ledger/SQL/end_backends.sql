-- Waits up to 2 s for each. Only those in a transaction: no other one holds a row, and a slow owner whose idle connections are ended too has to make
-- them anew before it can renew anything. $1 application names
SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
WHERE application_name = ANY ($1) AND xact_start IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()
