-- $1 id, $2 kind, $3 sinks; no row where the run is there already
WITH made AS (
    INSERT INTO runs (id, kind) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING no
), outboxes AS (
    INSERT INTO run_outbox (run, sink) SELECT made.no, sink FROM made, unnest($3::text[]) AS sink
)
SELECT no FROM made
