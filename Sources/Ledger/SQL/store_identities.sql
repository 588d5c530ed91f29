-- $1 dids, $2 statuses, $3 keys, $4 hosts, $5 handles, $6 fetched at; in order of did, so that two processes never deadlock
INSERT INTO identities AS i (did, status, signing_key, host, handle, fetched_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
ON CONFLICT (did) DO UPDATE SET status = excluded.status, signing_key = excluded.signing_key, host = excluded.host, handle = excluded.handle,
    fetched_at = excluded.fetched_at
WHERE i.fetched_at < excluded.fetched_at
