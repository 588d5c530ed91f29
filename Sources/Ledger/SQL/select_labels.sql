-- $1 shard, $2 subjects, $3 labels
SELECT l.subject, l.label, l.src, l.uri, l.cid, l.val, l.neg, l.cts, l.created_at, l.exp, l.expires_at, l.ver, l.signature, l.host, l.epoch, l.seq,
    l.place
FROM unnest($2::bytea[], $3::bytea[]) AS g (subject, label) JOIN labels l ON l.shard = $1 AND l.subject = g.subject AND l.label = g.label
