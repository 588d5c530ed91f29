COPY run_events (run, seq, day, logged_at, kind, did, rev, collection, rkey, action, cid, live, host, time, mark, body) FROM STDIN (FORMAT binary)
