-- Those of which a snapshot is or was wanted, and those that are to be left out. $1 dids
SELECT did, true AS wanted FROM backfill_jobs WHERE did = ANY ($1)
UNION ALL SELECT did, wanted FROM repo_scope WHERE did = ANY ($1)
