-- Keeps the newest of each shard. $1 shard, $2 how many
DELETE FROM refused WHERE shard = $1 AND id <= (SELECT id FROM refused WHERE shard = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)
