-- $1 shards, $2 tokens
UPDATE shards s SET owner = NULL, expires_at = '-infinity'
FROM unnest($1, $2) AS l (shard, token) WHERE s.shard = l.shard AND s.token = l.token
