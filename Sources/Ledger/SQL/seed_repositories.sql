-- $1 shards
SELECT make_repository_partitions($1)
