-- $1 shard, $2 reasons, $3 counts
INSERT INTO refused_counts AS c (shard, reason, count, last_at)
SELECT $1, g.reason, g.count, now() FROM unnest($2::text[], $3::bigint[]) AS g (reason, count)
ON CONFLICT (shard, reason) DO UPDATE SET count = c.count + excluded.count, last_at = excluded.last_at
