-- Sets cursors: to a seq, but not behind the last event, or to the end where $3 is null. Whoever delivers at this moment cannot mark any more.
-- $1 sink, $2 run id or null, $3 seq or null
UPDATE run_outbox o SET next_seq = least(coalesce($3, o.tail_seq + 1), o.tail_seq + 1), token = token + 1, epoch = epoch + 1, owner = NULL,
    expires_at = '-infinity', halted_reason = NULL, error = NULL, attempts = 0, retry_at = '-infinity'
FROM runs r WHERE o.sink = $1 AND r.no = o.run AND ($2::text IS NULL OR r.id = $2)
