-- First statement of a batch: it fails where another process owns the shard, and nothing behind it in the pipeline runs.
-- KEY SHARE blocks a take-over until the commit. $1 shard, $2 token
SELECT require_fence((SELECT 1 FROM shards WHERE shard = $1 AND token = $2 FOR KEY SHARE))
