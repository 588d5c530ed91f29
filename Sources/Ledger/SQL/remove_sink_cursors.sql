-- $1 name
WITH consumers AS (DELETE FROM sink_consumers WHERE sink = $1),
     letters AS (DELETE FROM dead_letters WHERE queue = 'sink' AND key = $1)
DELETE FROM run_outbox WHERE sink = $1
