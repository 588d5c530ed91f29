-- Cursors of runs that the sink does not take any more. $1 sink
DELETE FROM run_outbox o USING runs r, sinks s
WHERE s.name = $1 AND o.sink = s.name AND r.no = o.run AND NOT takes_run(s.run_kinds, s.run_prefix, r.kind, r.id)
