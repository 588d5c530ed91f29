-- $1 kind, $2 host, $3 token, $4 state, $5 reason, $6 epoch, $7 seq, $8 events, $9 bytes, $10 last message at
WITH owned AS (
    SELECT id FROM upstreams WHERE kind = $1 AND host = $2 AND token = $3 FOR KEY SHARE
)
INSERT INTO upstream_reports (upstream, state, reason, epoch, seq, events, bytes, last_message_at)
SELECT id, $4, $5, $6, $7, $8, $9, $10 FROM owned
ON CONFLICT (upstream) DO UPDATE SET state = excluded.state, reason = excluded.reason, epoch = excluded.epoch, seq = excluded.seq,
    events = excluded.events, bytes = excluded.bytes, last_message_at = excluded.last_message_at, reported_at = clock_timestamp()
