-- Attempts whose entries are being applied. $1 dids, $2 attempts, $3 deadline in ms
UPDATE backfill_jobs j SET deadline = clock_timestamp() + $3 * interval '1 ms'
FROM unnest($1::text[], $2::bigint[]) AS g (did, attempt) WHERE j.did = g.did AND j.attempt = g.attempt AND j.state IN ('fetching', 'streamed')
