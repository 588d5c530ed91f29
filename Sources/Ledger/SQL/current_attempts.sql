-- The attempts that count: those of jobs that have not ended. $1 dids
SELECT did, attempt FROM backfill_jobs WHERE did = ANY ($1) AND state NOT IN ('done', 'refused', 'dead')
