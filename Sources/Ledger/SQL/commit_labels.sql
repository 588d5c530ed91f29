-- $1 shard, $2 subjects, $3 labels, $4 src, $5 uri, $6 cid, $7 val, $8 neg, $9 cts, $10 created at, $11 exp, $12 expires at, $13 ver,
-- $14 signatures, $15 hosts, $16 epochs, $17 seqs, $18 places; one row a label
INSERT INTO labels AS l (
    shard, subject, label, src, uri, cid, val, neg, cts, created_at, exp, expires_at, ver, signature, host, epoch, seq, place)
SELECT $1, * FROM unnest(
    $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[], $10::timestamptz[], $11::text[],
    $12::timestamptz[], $13::bigint[], $14::text[], $15::text[], $16::int[], $17::bigint[], $18::int[])
ON CONFLICT (shard, subject, label) DO UPDATE SET neg = excluded.neg, cts = excluded.cts, created_at = excluded.created_at, exp = excluded.exp,
    expires_at = excluded.expires_at, ver = excluded.ver, signature = excluded.signature, host = excluded.host, epoch = excluded.epoch,
    seq = excluded.seq, place = excluded.place
