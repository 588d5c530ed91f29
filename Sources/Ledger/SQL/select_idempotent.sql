-- The run that was created with an idempotency key, and whether it was as asked for now. $1 owner, $2 key, $3 id or null, $4 kind, $5 metadata
SELECT r.id, ($3::text IS NULL OR r.id = $3) AND r.kind = $4 AND d.metadata = $5::jsonb AS is_same
FROM run_details d JOIN runs r ON r.no = d.run WHERE d.owner = $1 AND d.idempotency_key = $2
