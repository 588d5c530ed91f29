-- $1 run no, $2 owner, $3 idempotency key or null, $4 metadata
INSERT INTO run_details (run, owner, idempotency_key, metadata) VALUES ($1, $2, $3, $4::jsonb)
