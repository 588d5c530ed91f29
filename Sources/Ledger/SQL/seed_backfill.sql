-- $1 shards
SELECT make_backfill_shards($1)
