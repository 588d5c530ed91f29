-- $1 shard
SELECT u.kind, u.host, p.session, p.expected_n, p.broken FROM session_progress p JOIN upstreams u ON u.id = p.upstream
WHERE p.shard = $1 ORDER BY p.session
