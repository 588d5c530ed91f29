-- $1 shard, $2 dids
DELETE FROM held WHERE shard = $1 AND did = ANY ($2)
