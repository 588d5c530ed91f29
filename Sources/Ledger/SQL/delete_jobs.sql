-- Nothing of these is to be fetched: an attempt under way finds no job. Gives those that had one. In order of did. $1 dids
WITH doomed AS (SELECT did FROM backfill_jobs WHERE did = ANY ($1) ORDER BY did FOR UPDATE)
DELETE FROM backfill_jobs j USING doomed d WHERE j.did = d.did RETURNING j.did
