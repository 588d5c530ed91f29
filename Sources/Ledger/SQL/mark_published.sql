-- $1 sink, $2 run ids, $3 old next seqs, $4 new next seqs, $5 tokens; returns the runs whose cursor moved
UPDATE run_outbox o SET next_seq = g.new_seq, owner = NULL, expires_at = '-infinity', attempts = 0, error = NULL, published_at = clock_timestamp()
FROM (SELECT r.no, r.id, x.old_seq, x.new_seq, x.token
      FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) AS x (id, old_seq, new_seq, token) JOIN runs r USING (id)) g
WHERE o.run = g.no AND o.sink = $1 AND o.next_seq = g.old_seq AND o.token = g.token
RETURNING g.id
