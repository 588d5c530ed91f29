-- $1 shard
SELECT p.entry_id, coalesce(r.last_seq, 0) AS last_seq, (SELECT count(*) FROM held h WHERE h.shard = p.shard) AS held
FROM shard_positions p LEFT JOIN runs r ON r.id = 'firehose/' || p.shard WHERE p.shard = $1
