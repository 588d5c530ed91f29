-- Gives back where the shard stood, as commit_position. $1 shard, $2 entry id
WITH before AS (
    SELECT shard, entry_id FROM backfill_positions WHERE shard = $1 FOR NO KEY UPDATE
)
UPDATE backfill_positions p SET entry_id = $2, committed_at = clock_timestamp() FROM before WHERE p.shard = before.shard
RETURNING before.entry_id
