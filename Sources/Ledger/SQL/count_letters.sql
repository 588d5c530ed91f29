-- Letters of sinks that wait for somebody. $1 sinks
SELECT key, count(*) AS letters FROM dead_letters WHERE queue = 'sink' AND key = ANY ($1) AND state IN ('dead', 'halted', 'requeued') GROUP BY key
