-- Gaps that relays declared, ever.
SELECT count(*) AS gaps FROM declared_gaps g JOIN upstreams u ON u.id = g.upstream WHERE u.kind = 'firehose'
