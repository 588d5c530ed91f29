-- $1 shard, $2 dids, $3 after, $4 through, $5 most of each
SELECT range_no, path, cid FROM delivered_records($1, $2, $3, $4, $5)
