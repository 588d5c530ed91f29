-- Those of $1 that are not there, or were not built to their end.
SELECT e.name, c.oid IS NULL AS is_missing
FROM unnest($1::text[]) AS e (name)
LEFT JOIN pg_class c ON c.relname = e.name AND c.relnamespace = current_schema()::regnamespace
LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.oid IS NULL OR NOT i.indisvalid ORDER BY e.name
