-- Fence, number, baseline, declared gap and the end of older rewinds in one statement.
-- At a new numbering, a shard without a watermark keeps where it stood: what it still lacks of the old one is found by its owner, and told as a gap.
-- $1 kind, $2 host, $3 token, $4 from epoch, $5 from seq, $6 to $9 the gap (after epoch and seq, through epoch and seq) or nulls, $10 endpoint or ''
WITH owned AS (
    UPDATE upstreams u SET session = nextval('session_numbers'),
        baseline_epoch = CASE WHEN u.baseline_epoch >= $4 THEN u.baseline_epoch ELSE $4 END,
        endpoint = coalesce(nullif($10, ''), u.endpoint),
        baseline_seq = CASE WHEN u.baseline_epoch >= $4 THEN u.baseline_seq ELSE $5 END
    WHERE kind = $1 AND host = $2 AND token = $3 RETURNING id, session
), kept AS (
    INSERT INTO watermarks (upstream, shard, epoch, seq)
    SELECT u.id, s.shard, u.baseline_epoch, u.baseline_seq FROM upstreams u CROSS JOIN shards s
    WHERE u.kind = $1 AND u.host = $2 AND u.token = $3 AND u.baseline_epoch < $4 ON CONFLICT DO NOTHING
), settled AS (
    DELETE FROM rewinds r USING owned WHERE r.upstream = owned.id
), gap AS (
    INSERT INTO declared_gaps (upstream, after_epoch, after_seq, through_epoch, through_seq)
    SELECT id, $6, $7, $8, $9 FROM owned WHERE $6 IS NOT NULL ON CONFLICT DO NOTHING
)
INSERT INTO sessions (
    session, upstream, token, from_epoch, from_seq, gap_after_epoch, gap_after_seq, gap_through_epoch, gap_through_seq)
SELECT session, id, $3, $4, $5, $6, $7, $8, $9 FROM owned RETURNING session
