-- $1 shard, $2 dids
SELECT did, rev, data, status, reason, identity_time, account_time FROM known_repositories($1, $2)
