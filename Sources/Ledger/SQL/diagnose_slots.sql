-- Replication slots and the write-ahead log that they keep from being removed.
SELECT slot_name::text AS name, active, coalesce(wal_status, '') AS wal_status,
       CASE WHEN pg_is_in_recovery() THEN 0 ELSE coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint END AS kept_bytes
FROM pg_replication_slots ORDER BY slot_name LIMIT 100
