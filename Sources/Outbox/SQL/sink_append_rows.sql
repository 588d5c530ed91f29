COPY :table (run, seq, kind, did, rev, collection, rkey, action, cid, live, host, time, logged_at, body) FROM STDIN (FORMAT binary)
