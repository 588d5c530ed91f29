-- $1 shard
SELECT did, count(*) AS count, min(due_at) AS due_at FROM held WHERE shard = $1 GROUP BY did ORDER BY min(held_since)
