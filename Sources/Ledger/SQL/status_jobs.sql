-- Jobs that have not ended, counted up to a bound each, and hosts that are left alone. $1 bound
SELECT (SELECT count(*) FROM (SELECT 1 FROM backfill_jobs WHERE state = 'waiting' LIMIT $1) w) AS waiting,
       (SELECT count(*) FROM (SELECT 1 FROM backfill_jobs WHERE state = 'queued' LIMIT $1) q) AS queued,
       (SELECT count(*) FROM (SELECT 1 FROM backfill_jobs WHERE state = 'fetching' LIMIT $1) f) AS fetching,
       (SELECT count(*) FROM (SELECT 1 FROM backfill_jobs WHERE state = 'streamed' LIMIT $1) s) AS streamed,
       (SELECT count(*) FROM parked_hosts WHERE until > clock_timestamp()) AS parked
