-- $1 source
SELECT coalesce(sum(done), 0)::bigint AS done,
       (coalesce(sum(refused), 0) + coalesce((SELECT s.refused FROM backfill_sources s WHERE s.source = $1), 0))::bigint AS refused,
       coalesce(sum(dead), 0)::bigint AS dead, coalesce(sum(records), 0)::bigint AS records, coalesce(sum(bytes), 0)::bigint AS bytes,
       (SELECT count(*) FROM backfill_jobs WHERE source = $1 AND state IN ('waiting', 'queued', 'fetching', 'streamed')) AS open,
       (SELECT count(*) FROM backfill_jobs WHERE source = $1 AND state = 'waiting' AND failures > 0) AS failing
FROM backfill_progress WHERE source = $1
