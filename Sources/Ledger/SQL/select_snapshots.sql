-- $1 shard, $2 dids
SELECT did, attempt, is_open, next_n, last_key, count, rev, data, host FROM snapshots WHERE shard = $1 AND did = ANY ($2)
