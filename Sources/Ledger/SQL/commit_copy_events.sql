COPY run_events (run, seq, day, kind, did, rev, collection, rkey, action, cid, live, host, time, mark, logged_at, body) FROM STDIN (FORMAT binary)
