-- $1 name, $2 topic or null for all of the name
DELETE FROM subscriptions WHERE name = $1 AND ($2::text IS NULL OR topic = $2)
