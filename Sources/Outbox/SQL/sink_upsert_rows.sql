-- The latest event of each key. An older one never wins. $1 run, then side by side: $2 dids, $3 collections, $4 rkeys, $5 seqs, $6 revs, $7 cids,
-- $8 live, $9 logged at, $10 bodies
INSERT INTO :table AS t (run, did, collection, rkey, seq, rev, cid, live, logged_at, body)
SELECT $1, g.did, g.collection, g.rkey, g.seq, g.rev, g.cid, g.live, g.logged_at, g.body::json
FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::boolean[], $9::timestamptz[], $10::text[])
    AS g (did, collection, rkey, seq, rev, cid, live, logged_at, body)
ON CONFLICT (run, did, collection, rkey) DO UPDATE SET seq = excluded.seq, rev = excluded.rev, cid = excluded.cid, live = excluded.live,
    logged_at = excluded.logged_at, body = excluded.body
WHERE t.seq <= excluded.seq
