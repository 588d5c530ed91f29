-- Wanted by name from now on; gives those that were not, and whether they had been removed (a row that was there is locked before it is changed, which
-- leaves its xmax). Locks each, in order of did. $1 dids, $2 shards
INSERT INTO repo_scope AS s (did, shard, wanted)
SELECT g.did, g.shard, true FROM unnest($1::text[], $2::int[]) AS g (did, shard) ORDER BY g.did COLLATE "C"
ON CONFLICT (did) DO UPDATE SET wanted = true, changed_at = clock_timestamp() WHERE NOT s.wanted
RETURNING s.did, s.xmax <> 0 AS was_there
