-- $1 shard, $2 entry id or null
UPDATE shard_positions SET entry_id = coalesce($2, entry_id), committed_at = clock_timestamp() WHERE shard = $1
