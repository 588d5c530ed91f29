-- Waits for a batch of the shard that is still under way, as one whose COMMIT went out before its connection was lost: what is read behind this
-- holds it, or never will. $1 shard
SELECT 1 FROM shard_positions WHERE shard = $1 FOR SHARE
