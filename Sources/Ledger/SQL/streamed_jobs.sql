-- Attempts whose snapshots stand in the stream; in order of did. $1 dids, $2 attempts, $3 hosts, $4 records, $5 bytes, $6 deadline in ms
WITH given AS (
    SELECT j.did, g.host, g.records, g.bytes
    FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[]) AS g (did, attempt, host, records, bytes)
    JOIN backfill_jobs j ON j.did = g.did AND j.attempt = g.attempt AND j.state = 'fetching'
    ORDER BY j.did FOR UPDATE OF j
)
UPDATE backfill_jobs j SET state = 'streamed', host = given.host, error = '', records = given.records, bytes = given.bytes,
    deadline = clock_timestamp() + $6 * interval '1 ms', changed_at = clock_timestamp()
FROM given WHERE j.did = given.did RETURNING j.did
