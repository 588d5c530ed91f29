-- $1 kind, $2 host, $3 token, $4 session, $5 reason, $6 last epoch, $7 last seq
WITH owned AS (
    SELECT id FROM upstreams WHERE kind = $1 AND host = $2 AND token = $3 FOR KEY SHARE
)
UPDATE sessions s SET closed_at = clock_timestamp(), close_reason = $5, last_epoch = $6, last_seq = $7
FROM owned WHERE s.session = $4 AND s.upstream = owned.id
