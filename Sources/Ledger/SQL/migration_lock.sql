-- Held to the end of the transaction: processes that migrate at once take turns. $1 schema
SELECT pg_advisory_xact_lock(hashtextextended('weir.migrate.' || $1, 0))
