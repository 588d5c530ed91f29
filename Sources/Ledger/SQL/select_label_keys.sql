-- $1 dids
SELECT did, key, fetched_at FROM label_keys WHERE did = ANY ($1)
