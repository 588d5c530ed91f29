-- $1 name, $2 owner, $3 ttl in ms; no row where another process has it
INSERT INTO duties AS d (name, token, owner, expires_at) VALUES ($1, 1, $2, clock_timestamp() + $3 * interval '1 ms')
ON CONFLICT (name) DO UPDATE SET token = d.token + 1, owner = excluded.owner, expires_at = excluded.expires_at
WHERE d.owner IS NULL OR d.owner = excluded.owner OR d.expires_at <= clock_timestamp()
RETURNING token, done_at
