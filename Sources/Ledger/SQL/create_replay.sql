-- $1 source, $2 first seq, $3 last seq, $4 sink, $5 owner, $6 sinks of the run that tells of it
WITH number AS (
    SELECT nextval(pg_get_serial_sequence('replays', 'no')) AS no
), made AS (
    INSERT INTO runs (id, kind) SELECT 'replay/' || no, 'replay' FROM number RETURNING no
), outboxes AS (
    INSERT INTO run_outbox (run, sink) SELECT made.no, sink FROM made, unnest($6::text[]) AS sink
)
INSERT INTO replays (no, run, source, first_seq, last_seq, sink, checkpoint, owner) OVERRIDING SYSTEM VALUE
SELECT no, 'replay/' || no, $1, $2, $3, $4, $2 - 1, $5 FROM number
RETURNING run, source, first_seq, last_seq, sink, checkpoint, delivered, token
