SELECT reason, sum(count)::bigint AS count FROM refused_counts GROUP BY reason ORDER BY reason
