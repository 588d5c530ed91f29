-- As shard_settled, of the stream of labels. $1 shard
SELECT 1 FROM label_positions WHERE shard = $1 FOR SHARE
