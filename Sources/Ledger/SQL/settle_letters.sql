-- $1 ids that were delivered, $2 ids that were refused again, $3 their errors, $4 ids that are open still, $5 ms until those may be claimed again
WITH done AS (DELETE FROM dead_letters WHERE id = ANY ($1) AND state = 'requeued'),
     open AS (
    UPDATE dead_letters SET changed_at = clock_timestamp() + $5 * interval '1 ms' WHERE id = ANY ($4) AND state = 'requeued'
)
UPDATE dead_letters d SET state = 'dead', error = g.error, attempts = d.attempts + 1, changed_at = clock_timestamp()
FROM unnest($2::bigint[], $3::text[]) AS g (id, error) WHERE d.id = g.id AND d.state = 'requeued'
