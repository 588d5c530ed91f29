-- $1 run, $2 token, $3 checkpoint, $4 delivered; no row where another process took it
UPDATE replays SET checkpoint = greatest(checkpoint, $3), delivered = $4, touched_at = clock_timestamp() WHERE run = $1 AND token = $2 RETURNING checkpoint
