-- $1 shard, $2 token, $3 reason or null
UPDATE shards SET halted_reason = $3, halted_at = CASE WHEN $3 IS NULL THEN NULL ELSE clock_timestamp() END WHERE shard = $1 AND token = $2
