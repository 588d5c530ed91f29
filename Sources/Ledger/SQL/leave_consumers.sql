-- A worker's rows of sinks that it does not run any more, and those of workers that were silent for long. $1 worker, $2 sinks that it runs
DELETE FROM sink_consumers WHERE worker = $1 AND sink <> ALL ($2) OR heartbeat_at < clock_timestamp() - interval '1 hour'
