-- $1 run, then side by side: $2 dids, $3 collections, $4 rkeys, $5 seqs
DELETE FROM :table t USING unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) AS g (did, collection, rkey, seq)
WHERE t.run = $1 AND t.did = g.did AND t.collection = g.collection AND t.rkey = g.rkey AND t.seq <= g.seq
