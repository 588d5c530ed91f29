-- Gives back where the shard stood. The row is locked first: behind another transaction that moved it, `before` is what that one committed, where
-- a self-join would still give what this statement saw at its start. $1 shard, $2 entry id or null
WITH before AS (
    SELECT shard, entry_id FROM shard_positions WHERE shard = $1 FOR NO KEY UPDATE
)
UPDATE shard_positions p SET entry_id = coalesce($2, before.entry_id), committed_at = clock_timestamp()
FROM before WHERE p.shard = before.shard
RETURNING before.entry_id, p.committed_at AS at
