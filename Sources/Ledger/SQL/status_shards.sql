-- A lease that never was counts as ended a day ago.
SELECT s.shard, s.owner,
       (extract(epoch FROM greatest(s.expires_at, clock_timestamp() - interval '1 day') - clock_timestamp()) * 1000)::bigint AS lease_ms_left,
       s.halted_reason, p.entry_id, (extract(epoch FROM clock_timestamp() - p.committed_at) * 1000)::bigint AS commit_age_ms,
       coalesce(r.last_seq, 0) AS last_seq, coalesce(o.next_seq, 1) AS next_seq, coalesce(o.halted_reason, o.error) AS outbox_error,
       (SELECT count(*) FROM held h WHERE h.shard = s.shard) AS held,
       lp.entry_id AS label_entry_id, (extract(epoch FROM clock_timestamp() - lp.committed_at) * 1000)::bigint AS label_commit_age_ms,
       coalesce(lr.last_seq, 0) AS label_last_seq, coalesce(lo.next_seq, 1) AS label_next_seq,
       coalesce(lo.halted_reason, lo.error) AS label_outbox_error, (SELECT count(*) FROM held_labels h WHERE h.shard = s.shard) AS label_held
FROM shards s
JOIN shard_positions p USING (shard)
LEFT JOIN runs r ON r.id = 'firehose/' || s.shard
LEFT JOIN run_outbox o ON o.run = r.no AND o.sink = 'outlet'
JOIN label_positions lp USING (shard)
LEFT JOIN runs lr ON lr.id = 'labels/' || s.shard
LEFT JOIN run_outbox lo ON lo.run = lr.no AND lo.sink = 'outlet'
ORDER BY s.shard
