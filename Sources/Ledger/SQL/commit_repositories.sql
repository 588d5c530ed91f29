-- $1 shard, $2 dids, $3 revs, $4 data, $5 statuses, $6 reasons, $7 identity times, $8 account times; in order of did
INSERT INTO repositories AS r (shard, did, rev, data, status, reason, identity_time, account_time)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bytea[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[])
ON CONFLICT (shard, did) DO UPDATE SET rev = excluded.rev, data = excluded.data, status = excluded.status, reason = excluded.reason,
    identity_time = excluded.identity_time, account_time = excluded.account_time
