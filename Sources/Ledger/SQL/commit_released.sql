DELETE FROM held WHERE shard = $1 AND id = ANY ($2)
