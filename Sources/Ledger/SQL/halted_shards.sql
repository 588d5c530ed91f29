SELECT shard, halted_reason FROM shards WHERE halted_reason IS NOT NULL ORDER BY shard
