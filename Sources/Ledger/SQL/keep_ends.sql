-- Copies the terminal events of a day, which nothing changes any more: each is the last event of a run that has ended. $1 day
INSERT INTO run_ends
SELECT e.* FROM run_days d JOIN runs r ON r.no = d.run AND r.state <> 'started'
JOIN run_events e ON e.run = r.no AND e.seq = r.last_seq AND e.day = $1 AND e.kind = 'terminal'
WHERE d.day = $1
ON CONFLICT (run, seq) DO NOTHING
