-- $1 shard
SELECT entry_id, clock_timestamp() AS at FROM shard_positions WHERE shard = $1
