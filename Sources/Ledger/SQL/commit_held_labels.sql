INSERT INTO held_labels (shard, src, host, session, epoch, seq, place, label, held_since, due_at, attempts)
SELECT $1, src, host, session, epoch, seq, place, label, held_since, due_at, 0
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::int[], $6::bigint[], $7::int[], $8::bytea[], $9::timestamptz[], $10::timestamptz[])
    WITH ORDINALITY AS h (src, host, session, epoch, seq, place, label, held_since, due_at, no)
ORDER BY no
