DELETE FROM held_labels WHERE shard = $1 AND id = ANY ($2)
