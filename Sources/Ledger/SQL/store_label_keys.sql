-- $1 dids, $2 keys, $3 fetched at; in order of did, so that two processes never deadlock
INSERT INTO label_keys AS k (did, key, fetched_at) SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
ON CONFLICT (did) DO UPDATE SET key = excluded.key, fetched_at = excluded.fetched_at WHERE k.fetched_at < excluded.fetched_at
