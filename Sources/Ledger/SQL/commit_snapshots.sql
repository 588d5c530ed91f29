-- $1 shard, $2 dids, $3 attempts, $4 is open, $5 next n, $6 last keys, $7 counts, $8 revs, $9 data, $10 hosts
INSERT INTO snapshots AS s (shard, did, attempt, is_open, next_n, last_key, count, rev, data, host)
SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::boolean[], $5::bigint[], $6::text[], $7::bigint[], $8::text[], $9::bytea[], $10::text[])
ON CONFLICT (shard, did) DO UPDATE SET attempt = excluded.attempt, is_open = excluded.is_open, next_n = excluded.next_n, last_key = excluded.last_key,
    count = excluded.count, rev = excluded.rev, data = excluded.data, host = excluded.host
