SELECT did, rev, data, status, reason, identity_time, account_time FROM repositories WHERE did = ANY ($1)
