-- $1 shard
SELECT src, count(*) AS count, min(due_at) AS due_at FROM held_labels WHERE shard = $1 GROUP BY src ORDER BY min(held_since)
