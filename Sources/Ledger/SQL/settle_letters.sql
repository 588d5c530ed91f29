-- $1 ids that were delivered, $2 ids that were refused again, $3 their errors
WITH done AS (DELETE FROM dead_letters WHERE id = ANY ($1) AND state = 'requeued')
UPDATE dead_letters d SET state = 'dead', error = g.error, attempts = d.attempts + 1, changed_at = clock_timestamp()
FROM unnest($2::bigint[], $3::text[]) AS g (id, error) WHERE d.id = g.id AND d.state = 'requeued'
