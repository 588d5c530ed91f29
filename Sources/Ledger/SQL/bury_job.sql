-- A job that was given up. $1 did, $2 error, $3 attempts
WITH buried AS (
    UPDATE backfill_jobs SET state = 'dead', error = $2, deadline = 'infinity', changed_at = clock_timestamp()
    WHERE did = $1 AND state NOT IN ('done', 'refused', 'dead') RETURNING did, source, shard
), letter AS (
    INSERT INTO dead_letters (queue, key, error, attempts) SELECT 'repo_backfill', did, $2, $3 FROM buried
)
INSERT INTO backfill_progress AS p (source, shard, dead) SELECT source, shard, 1 FROM buried
ON CONFLICT (source, shard) DO UPDATE SET dead = p.dead + 1
