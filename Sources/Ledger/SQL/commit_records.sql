-- In order of key. $1 shard, $2 dids, $3 paths, $4 cids
INSERT INTO records AS r (shard, did, path, cid)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bytea[]) AS g (did, path, cid)
ON CONFLICT (shard, did, path) DO UPDATE SET cid = excluded.cid
