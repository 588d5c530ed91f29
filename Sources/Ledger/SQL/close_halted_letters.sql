-- Letters whose runs do not wait for them any more, since their cursors were set or their halts ended. $1 sink, $2 run id or null
DELETE FROM dead_letters WHERE queue = 'sink' AND key = $1 AND state = 'halted' AND ($2::text IS NULL OR run = $2)
