-- $1 dids
SELECT did, status, signing_key, host, handle, fetched_at FROM identities WHERE did = ANY ($1)
