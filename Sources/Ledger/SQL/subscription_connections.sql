-- $1 topics, $2 names
SELECT s.topic, s.name, s.connection FROM subscriptions s JOIN unnest($1::text[], $2::text[]) AS g (topic, name) USING (topic, name)
