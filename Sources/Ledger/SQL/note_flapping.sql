-- $1 clients, $2 topics, $3 opens in the last minute. Rows of an hour ago are forgotten.
WITH old AS (
    DELETE FROM flapping_clients WHERE last_at < clock_timestamp() - interval '1 hour'
)
INSERT INTO flapping_clients (client, topic, opens, last_at)
SELECT client, topic, opens, clock_timestamp() FROM unnest($1::text[], $2::text[], $3::int[]) AS g (client, topic, opens) ORDER BY client, topic
ON CONFLICT (client, topic) DO UPDATE SET opens = excluded.opens, last_at = excluded.last_at
