-- $1 shard, $2 dids, $3 paths
DELETE FROM records r USING unnest($2::text[], $3::text[]) AS g (did, path) WHERE r.shard = $1 AND r.did = g.did AND r.path = g.path
