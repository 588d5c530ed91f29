-- $1 shard, $2 kinds, $3 hosts, $4 epochs, $5 seqs; a watermark only rises: a zombie cannot turn it back
INSERT INTO watermarks AS w (upstream, shard, epoch, seq)
SELECT u.id, $1, g.epoch, g.seq
FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[]) AS g (kind, host, epoch, seq) JOIN upstreams u USING (kind, host)
ON CONFLICT (upstream, shard) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq
WHERE (w.epoch, w.seq) < (excluded.epoch, excluded.seq)
