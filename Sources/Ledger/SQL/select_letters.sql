-- Newest first, below the id of $1. $2 limit, $3 sink or null, $4 states, $5 one id or null
SELECT id, queue, key, run, seq, error, attempts, state, dead_at, changed_at, payload
FROM dead_letters
WHERE ($1::bigint IS NULL OR id < $1) AND ($3::text IS NULL OR queue = 'sink' AND key = $3) AND state = ANY ($4) AND ($5::bigint IS NULL OR id = $5)
ORDER BY id DESC LIMIT $2
