-- $1 shard, $2 limit
SELECT did, action FROM repo_requests WHERE shard = $1 ORDER BY asked_at LIMIT $2
