-- $1 run id. first_seq, max_seq: of what the log still has.
SELECT r.id, r.kind, r.state, r.last_seq,
       (extract(epoch FROM clock_timestamp() - r.started_at) * 1000)::bigint AS started_age_ms,
       (extract(epoch FROM clock_timestamp() - r.last_event_at) * 1000)::bigint AS event_age_ms,
       (SELECT min(e.seq) FROM run_events e WHERE e.run = r.no) AS first_seq,
       (SELECT max(e.seq) FROM run_events e WHERE e.run = r.no) AS max_seq,
       EXISTS (SELECT 1 FROM run_ends k WHERE k.run = r.no) AS has_kept_end
FROM runs r WHERE r.id = $1
