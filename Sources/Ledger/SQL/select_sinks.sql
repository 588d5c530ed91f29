-- Desired sinks in order of name, those of $1 (null: all). requeued: letters that wait to be delivered again.
SELECT s.name, s.setting_names, s.setting_values, s.state, s.origin, s.generation, s.created_at,
       EXISTS (SELECT FROM dead_letters d WHERE d.queue = 'sink' AND d.key = s.name AND d.state = 'requeued') AS requeued
FROM sinks s WHERE $1::text IS NULL OR s.name = $1 ORDER BY s.name
