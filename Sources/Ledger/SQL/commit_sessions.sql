-- $1 shard, $2 kinds, $3 hosts, $4 sessions, $5 expected n, $6 broken; a new session leaves the newest 8 of its (upstream, shard) beside it
WITH given AS (
    SELECT u.id AS upstream, g.session, g.expected_n, g.broken
    FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[]) AS g (kind, host, session, expected_n, broken)
    JOIN upstreams u USING (kind, host)
), written AS (
    INSERT INTO session_progress AS p (upstream, shard, session, expected_n, broken)
    SELECT upstream, $1, session, expected_n, broken FROM given
    ON CONFLICT (upstream, shard, session) DO UPDATE SET expected_n = excluded.expected_n, broken = excluded.broken
    RETURNING upstream, session, xmax = 0 AS is_new
)
DELETE FROM session_progress p USING (SELECT DISTINCT upstream FROM written WHERE is_new) w
WHERE p.upstream = w.upstream AND p.shard = $1
  AND p.session < (SELECT min(session) FROM (SELECT session FROM session_progress q
                   WHERE q.upstream = w.upstream AND q.shard = $1 ORDER BY session DESC LIMIT 8) newest)
