-- $1 dids, $2 revs, $3 data, $4 statuses, $5 reasons, $6 identity times, $7 account times; in order of did, so that two shards never deadlock
INSERT INTO repositories AS r (did, rev, data, status, reason, identity_time, account_time)
SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
ON CONFLICT (did) DO UPDATE SET rev = excluded.rev, data = excluded.data, status = excluded.status, reason = excluded.reason,
    identity_time = excluded.identity_time, account_time = excluded.account_time
