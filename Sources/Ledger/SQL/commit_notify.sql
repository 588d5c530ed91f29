-- A wake-up for publishers, behind the COMMIT. A transaction that notifies has an id, so its end would wait for the disk a second time, and would
-- hold the lock of the notification queue meanwhile; nothing of it has to last. $1 run id
SELECT set_config('synchronous_commit', 'off', true), pg_notify('weir_append_' || current_schema(), $1)
