-- Holds a duty's row until the COMMIT, so that nobody takes it over before. $1 name, $2 token
SELECT require_fence((SELECT 1 FROM duties WHERE name = $1 AND token = $2 FOR UPDATE))
