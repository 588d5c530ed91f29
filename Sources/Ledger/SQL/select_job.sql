-- $1 did
SELECT did, shard, source, reason, state, again, attempt, failures, retry_at, host, error, records, bytes, changed_at FROM backfill_jobs WHERE did = $1
