-- Labelers: where each shard's stream of labels stands, what was said last of each label, and which labels wait for a key.

-- The address that the last session was read from: an upstream whose name is a DID may move.
ALTER TABLE upstreams ADD COLUMN endpoint text;

-- How far each shard's stream of labels is resolved, as shard_positions of the firehose's.
CREATE TABLE label_positions (
    shard int PRIMARY KEY,
    entry_id text NOT NULL DEFAULT '0-0',
    committed_at timestamptz
) WITH (fillfactor = 50);

-- The last statement about each label, (src, uri, cid, val), withdrawals too: a statement that comes late must find what it is later than.
-- subject is the SHA-256 of uri, label that of the rest: an address may be longer than a key of an index. cid and exp are '' where there is none.
CREATE TABLE labels (
    shard int NOT NULL,
    subject bytea NOT NULL,
    label bytea NOT NULL,
    src text NOT NULL,
    uri text NOT NULL,
    cid text NOT NULL,
    val text NOT NULL,
    neg boolean NOT NULL,
    cts text NOT NULL,
    created_at timestamptz NOT NULL,
    exp text NOT NULL,
    expires_at timestamptz,
    ver bigint,
    signature text NOT NULL,
    host text NOT NULL,
    epoch int NOT NULL,
    seq bigint NOT NULL,
    place int NOT NULL,
    PRIMARY KEY (shard, subject, label)
) WITH (fillfactor = 80);

-- The keys that sources sign labels with, as did:key.
CREATE TABLE label_keys (
    did text PRIMARY KEY,
    key text NOT NULL,
    fetched_at timestamptz NOT NULL
) WITH (fillfactor = 80);

-- Signed labels whose source's key could not be had in time, one a row, in the order in which they came.
CREATE TABLE held_labels (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard int NOT NULL,
    src text NOT NULL,
    host text NOT NULL,
    session bigint NOT NULL,
    epoch int NOT NULL,
    seq bigint NOT NULL,
    place int NOT NULL,
    label bytea NOT NULL,
    held_since timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    attempts int NOT NULL
);
CREATE INDEX held_labels_of_source ON held_labels (shard, src, host, id);

-- The run labels/<k> of each shard, with its outbox and its position. For the shards of a database that had none of this, and for those that the
-- first migration makes.
CREATE FUNCTION make_label_logs() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO label_positions (shard) SELECT shard FROM shards ON CONFLICT DO NOTHING;
    WITH made AS (
        INSERT INTO runs (id, kind) SELECT 'labels/' || shard, 'labels' FROM shards ORDER BY shard ON CONFLICT (id) DO NOTHING RETURNING no
    )
    INSERT INTO run_outbox (run, sink) SELECT no, 'outlet' FROM made;
END
$$;
SELECT make_label_logs();
