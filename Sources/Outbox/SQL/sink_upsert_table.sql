-- A row each key that there is: the latest event of it.
CREATE TABLE IF NOT EXISTS :table (
    run text COLLATE "C" NOT NULL,
    did text COLLATE "C" NOT NULL,
    collection text COLLATE "C" NOT NULL,
    rkey text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    rev text NOT NULL,
    cid text NOT NULL,
    live boolean NOT NULL,
    logged_at timestamptz NOT NULL,
    body json,
    PRIMARY KEY (run, did, collection, rkey)
);
