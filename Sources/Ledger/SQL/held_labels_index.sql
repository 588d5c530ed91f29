-- $1 shard
SELECT src, host, count(*) AS count, min(due_at) AS due_at FROM held_labels WHERE shard = $1 GROUP BY src, host ORDER BY min(held_since)
