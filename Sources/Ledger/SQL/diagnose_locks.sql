-- Sessions of this database that wait for another's lock, and those that hold a transaction open and do nothing.
SELECT a.pid, a.application_name AS application, a.state = 'idle in transaction' AS is_idle,
       (extract(epoch FROM clock_timestamp() - CASE WHEN a.state = 'idle in transaction' THEN a.state_change ELSE a.query_start END) * 1000)::bigint AS age_ms,
       left(a.query, 160) AS query,
       array(SELECT b.application_name || ' (' || b.pid || ')' FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids(a.pid))) AS blockers
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND (a.state = 'idle in transaction' OR a.wait_event_type = 'Lock' AND cardinality(pg_blocking_pids(a.pid)) > 0)
ORDER BY age_ms DESC LIMIT 50
