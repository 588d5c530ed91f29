-- $1 shard
SELECT entry_id FROM backfill_positions WHERE shard = $1
