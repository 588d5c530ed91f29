-- A lease that never was counts as ended a day ago; the watermark is what resume_position gives.
SELECT u.kind, u.host, u.owner,
       (extract(epoch FROM greatest(u.expires_at, clock_timestamp() - interval '1 day') - clock_timestamp()) * 1000)::bigint AS lease_ms_left,
       u.session, r.state, r.reason, r.epoch, r.seq, r.events, r.bytes, r.last_message_at,
       (extract(epoch FROM clock_timestamp() - r.reported_at) * 1000)::bigint AS report_age_ms,
       w.epoch AS watermark_epoch, w.seq AS watermark_seq,
       EXISTS (SELECT 1 FROM rewinds x WHERE x.upstream = u.id AND x.session = u.session) AS rewind_pending,
       (SELECT count(*) FROM declared_gaps g WHERE g.upstream = u.id) AS gaps
FROM upstreams u
LEFT JOIN upstream_reports r ON r.upstream = u.id
LEFT JOIN LATERAL (
    SELECT CASE WHEN (m.epoch, m.seq) > (u.baseline_epoch, u.baseline_seq) THEN m.epoch ELSE u.baseline_epoch END AS epoch,
           CASE WHEN (m.epoch, m.seq) > (u.baseline_epoch, u.baseline_seq) THEN m.seq ELSE u.baseline_seq END AS seq
    FROM shards s LEFT JOIN watermarks m ON m.upstream = u.id AND m.shard = s.shard
    WHERE u.baseline_epoch IS NOT NULL ORDER BY 1, 2 LIMIT 1
) w ON true
ORDER BY u.kind, u.host
