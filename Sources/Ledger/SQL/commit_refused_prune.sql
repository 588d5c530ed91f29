-- Keeps the newest of each shard. What the shard's other log is about to delete is left to it. $1 shard, $2 how many
DELETE FROM refused WHERE id IN (
    SELECT id FROM refused WHERE shard = $1 AND id <= (SELECT id FROM refused WHERE shard = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)
    FOR UPDATE SKIP LOCKED)
