-- As commit_position, of the stream of labels. $1 shard, $2 entry id or null
WITH before AS (
    SELECT shard, entry_id FROM label_positions WHERE shard = $1 FOR NO KEY UPDATE
)
UPDATE label_positions p SET entry_id = coalesce($2, before.entry_id), committed_at = clock_timestamp()
FROM before WHERE p.shard = before.shard
RETURNING before.entry_id, p.committed_at AS at
