-- All of these repositories. $1 shard, $2 dids
DELETE FROM records WHERE shard = $1 AND did = ANY ($2)
