-- Which migrations were applied, and the number of shards fixed at the first one.
SELECT array(SELECT name FROM migrations ORDER BY name) AS names, (SELECT value FROM settings WHERE name = 'shards') AS shards
