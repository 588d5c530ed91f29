-- $1 topics, $2 names, $3 positions as array texts. A position never falls; locked in one order, so that two processes never deadlock.
WITH given AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS g (topic, name, positions)
), locked AS (
    SELECT s.topic, s.name, s.positions AS old, g.positions::bigint[] AS new FROM subscriptions s JOIN given g USING (topic, name)
    ORDER BY s.topic, s.name FOR NO KEY UPDATE OF s
)
UPDATE subscriptions s SET acked_at = clock_timestamp(),
    positions = (SELECT array_agg(greatest(x.old, x.new) ORDER BY x.i) FROM unnest(l.old, l.new) WITH ORDINALITY AS x (old, new, i))
FROM locked l WHERE s.topic = l.topic AND s.name = l.name AND cardinality(l.old) = cardinality(l.new)
