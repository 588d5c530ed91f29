-- What stands now: neither withdrawn nor expired. $1 shards and $2 subjects, pairwise, $3 sources or null, $4 limit
SELECT l.subject, l.label, l.src, l.uri, l.cid, l.val, l.neg, l.cts, l.created_at, l.exp, l.expires_at, l.ver, l.signature, l.host, l.epoch, l.seq,
    l.place
FROM unnest($1::int[], $2::bytea[]) AS g (shard, subject) JOIN labels l ON l.shard = g.shard AND l.subject = g.subject
WHERE NOT l.neg AND (l.expires_at IS NULL OR l.expires_at > clock_timestamp()) AND ($3::text[] IS NULL OR l.src = ANY ($3))
ORDER BY l.uri, l.src, l.val, l.cid LIMIT $4
