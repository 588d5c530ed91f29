-- What the owners of shards are to do; the last word counts. In order of did. $1 dids, $2 shards, $3 action
INSERT INTO repo_requests AS r (shard, did, action)
SELECT g.shard, g.did, $3 FROM unnest($1::text[], $2::int[]) AS g (did, shard) ORDER BY g.did COLLATE "C"
ON CONFLICT (shard, did) DO UPDATE SET action = excluded.action, asked_at = clock_timestamp()
