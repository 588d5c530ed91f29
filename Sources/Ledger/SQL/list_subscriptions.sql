-- $1 name or null, $2 after name, $3 after topic, $4 limit. behind: events of the topic's runs that are not acknowledged.
SELECT s.topic, s.name, s.positions, s.connection, s.created_at, s.opened_at, s.acked_at,
       (SELECT coalesce(sum(r.last_seq - x.position), 0)::bigint
        FROM unnest(s.positions) WITH ORDINALITY AS x (position, i)
        JOIN runs r ON r.id = CASE WHEN s.topic LIKE 'run:%' THEN substr(s.topic, 5) ELSE substr(s.topic, 5) || '/' || (x.i - 1) END) AS behind
FROM subscriptions s
WHERE ($1::text IS NULL OR s.name = $1) AND (s.name, s.topic) > ($2::text, $3::text)
ORDER BY s.name, s.topic LIMIT $4
