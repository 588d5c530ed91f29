-- Tells workers that sinks changed: an empty name makes them look.
SELECT pg_notify('weir_append_' || current_schema(), '')
