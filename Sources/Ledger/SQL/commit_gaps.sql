-- $1 kinds, $2 hosts, $3 and $4 after, $5 and $6 through
INSERT INTO declared_gaps (upstream, after_epoch, after_seq, through_epoch, through_seq)
SELECT DISTINCT u.id, g.ae, g.a, g.te, g.t FROM unnest($1, $2, $3, $4, $5, $6) AS g (kind, host, ae, a, te, t) JOIN upstreams u USING (kind, host)
ORDER BY 1, 2, 3, 4, 5 ON CONFLICT DO NOTHING
