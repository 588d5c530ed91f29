-- $1 limit
SELECT s.source, s.method, s.state, s.pass, s.restarts, s.listed, s.open, s.failing, s.error, s.started_at,
       p.done, s.refused + p.refused AS refused, p.dead, p.records, p.bytes
FROM backfill_sources s
CROSS JOIN LATERAL (
    SELECT coalesce(sum(done), 0)::bigint AS done, coalesce(sum(refused), 0)::bigint AS refused, coalesce(sum(dead), 0)::bigint AS dead,
           coalesce(sum(records), 0)::bigint AS records, coalesce(sum(bytes), 0)::bigint AS bytes
    FROM backfill_progress p WHERE p.source = s.source
) p
ORDER BY s.source LIMIT $1
