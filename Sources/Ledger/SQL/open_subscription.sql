-- $1 topic, $2 name, $3 positions where it is new, $4 how many there may be; no row where it would be one too many
INSERT INTO subscriptions AS s (topic, name, positions)
SELECT $1, $2, $3::bigint[]
WHERE EXISTS (SELECT 1 FROM subscriptions WHERE topic = $1 AND name = $2) OR (SELECT count(*) FROM subscriptions) < $4
ON CONFLICT (topic, name) DO UPDATE SET connection = s.connection + 1, opened_at = clock_timestamp()
RETURNING positions, connection
