-- $1 dids. OFFSET keeps it a search by key of each: joined, the planner reads a table that was small when it first looked from end to end.
SELECT i.did, i.status, i.signing_key, i.host, i.handle, i.fetched_at
FROM unnest($1::text[]) AS g (did)
CROSS JOIN LATERAL (SELECT did, status, signing_key, host, handle, fetched_at FROM identities WHERE did = g.did OFFSET 0) i
