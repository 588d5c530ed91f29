-- $1 shard
SELECT p.entry_id, coalesce(r.last_seq, 0) AS last_seq, (SELECT count(*) FROM held_labels h WHERE h.shard = p.shard) AS held
FROM label_positions p LEFT JOIN runs r ON r.id = 'labels/' || p.shard WHERE p.shard = $1
