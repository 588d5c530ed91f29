-- $1 run, $2 owner. Whoever had it can write no more.
UPDATE replays p SET token = p.token + 1, owner = $2, touched_at = clock_timestamp()
FROM runs r WHERE p.run = $1 AND r.id = p.run AND r.state = 'started'
RETURNING p.run, p.source, p.first_seq, p.last_seq, p.sink, p.checkpoint, p.delivered, p.token
