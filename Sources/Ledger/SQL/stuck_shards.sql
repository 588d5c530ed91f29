-- Owners whose lease has expired and yet was not to be had: a transaction of theirs goes on. $1 shards, $2 worker
SELECT DISTINCT owner FROM shards WHERE shard = ANY ($1) AND owner <> $2 AND expires_at <= clock_timestamp()
