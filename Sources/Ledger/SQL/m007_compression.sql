-- How bodies of events above about 2 KB are stored: LZ4 takes a fraction of what pglz does of a core, for a few bytes more. Of a backfill
-- pglz was a sixth of all that Postgres computed. A server that was built without LZ4 keeps what it has; what is stored stays as it was stored.
DO $$
DECLARE
    events regclass;
BEGIN
    -- Partitions that come later take it from their parent; those that are there do not.
    FOR events IN SELECT relid FROM pg_partition_tree('run_events') LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN body SET COMPRESSION lz4', events);
    END LOOP;
EXCEPTION
    WHEN feature_not_supported THEN NULL;
END $$;
