-- Who ended a run, and why. $1 run no, $2 reason or null, $3 who
INSERT INTO run_details (run, end_reason, ended_by) VALUES ($1, $2, $3)
ON CONFLICT (run) DO UPDATE SET end_reason = EXCLUDED.end_reason, ended_by = EXCLUDED.ended_by
