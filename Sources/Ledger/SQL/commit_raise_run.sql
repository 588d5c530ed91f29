-- $1 run no, $2 last seq, $3 logged at, $4 day, $5 first seq of the batch
WITH raised AS (
    UPDATE runs SET last_seq = $2, last_event_at = $3 WHERE no = $1
), days AS (
    INSERT INTO run_days (run, day, first_seq) VALUES ($1, $4, $5) ON CONFLICT (run, day) DO NOTHING
)
UPDATE run_outbox SET tail_seq = $2 WHERE run = $1
