-- Jobs that stand in the stream keep standing there: their deadlines are put off where they are near. $1 dids, $2 deadline in ms
UPDATE backfill_jobs SET deadline = clock_timestamp() + $2 * interval '1 ms'
WHERE did = ANY ($1) AND state = 'queued' AND deadline < clock_timestamp() + $2 * interval '1 ms' / 2
