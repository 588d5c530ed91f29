-- Two creations with one idempotency key come one after the other, until the end of the transaction. $1 owner, $2 key
SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.run_details', hashtextextended($1 || E'\x01' || $2, 0)))
