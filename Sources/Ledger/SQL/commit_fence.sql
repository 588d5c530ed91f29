-- First statement of a batch: 0 rows mean that another process owns the shard. KEY SHARE blocks a take-over until the commit.
-- $1 shard, $2 token
SELECT 1 FROM shards WHERE shard = $1 AND token = $2 FOR KEY SHARE
