-- $1 state or null, $2 kind or null, $3 after id or null, $4 limit, $5 ids or null, $6 prefixes of ids or null
SELECT r.id, r.kind, r.state, r.started_at, r.finished_at, r.last_seq, r.last_event_at,
       array(SELECT o.sink FROM run_outbox o WHERE o.run = r.no ORDER BY o.sink) AS sinks,
       array(SELECT o.next_seq FROM run_outbox o WHERE o.run = r.no ORDER BY o.sink) AS next_seqs
FROM runs r
WHERE ($1::text IS NULL OR r.state = $1) AND ($2::text IS NULL OR r.kind = $2) AND ($3::text IS NULL OR r.id > $3)
  AND ($5::text[] IS NULL OR r.id = ANY ($5))
  AND ($6::text[] IS NULL OR EXISTS (SELECT FROM unnest($6::text[]) AS prefix WHERE starts_with(r.id, prefix)))
ORDER BY r.id LIMIT $4
