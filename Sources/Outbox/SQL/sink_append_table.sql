-- A row each event. :table is the table, :cursors stands beside it, :schema the schema or nothing.
CREATE TABLE IF NOT EXISTS :table (
    run text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    did text NOT NULL,
    rev text NOT NULL,
    collection text NOT NULL,
    rkey text NOT NULL,
    action text NOT NULL,
    cid text NOT NULL,
    live boolean NOT NULL,
    host text NOT NULL,
    time text NOT NULL,
    logged_at timestamptz NOT NULL,
    body json,
    PRIMARY KEY (run, seq)
);
