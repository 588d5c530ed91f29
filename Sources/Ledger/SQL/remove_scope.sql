-- Left out from now on, whatever asks for them; gives those that were not, and whether they had been wanted by name (as in add_scope.sql).
-- Locks each, in order of did. $1 dids, $2 shards
INSERT INTO repo_scope AS s (did, shard, wanted)
SELECT g.did, g.shard, false FROM unnest($1::text[], $2::int[]) AS g (did, shard) ORDER BY g.did COLLATE "C"
ON CONFLICT (did) DO UPDATE SET wanted = false, changed_at = clock_timestamp() WHERE s.wanted
RETURNING s.did, s.xmax <> 0 AS was_there
