-- $1 shard, $2 kinds, $3 hosts, $4 sessions; many shards that see one loss make one row
INSERT INTO rewinds (upstream, session, shard)
SELECT u.id, g.session, $1 FROM unnest($2::text[], $3::text[], $4::bigint[]) AS g (kind, host, session) JOIN upstreams u USING (kind, host)
ON CONFLICT DO NOTHING
