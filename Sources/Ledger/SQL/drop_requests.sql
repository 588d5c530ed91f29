-- Only as they were read: what was asked meanwhile stays. $1 shard, $2 dids, $3 actions
DELETE FROM repo_requests r USING unnest($2::text[], $3::text[]) AS g (did, action) WHERE r.shard = $1 AND r.did = g.did AND r.action = g.action
