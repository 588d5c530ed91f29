-- What is kept of clients: durable subscriptions, and those that come back too often.

-- How far a client that goes by a name has acknowledged a topic: `run:<id>`, or `log:<log>` for a log of all shards.
CREATE TABLE subscriptions (
    topic text NOT NULL,
    name text NOT NULL,
    -- The last acknowledged seq of each run of the topic, by shard. None ever falls.
    positions bigint[] NOT NULL,
    -- Which of its connections has it: the newest. Only grows.
    connection bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    acked_at timestamptz,
    PRIMARY KEY (topic, name)
) WITH (fillfactor = 50);
CREATE INDEX subscriptions_by_name ON subscriptions (name, topic);

-- Clients that came back more often in a minute than anything that works does.
CREATE TABLE flapping_clients (
    client text NOT NULL,
    topic text NOT NULL,
    opens int NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (client, topic)
);

-- Deliveries of a stretch of a run to a sink again. checkpoint: everything from first_seq to it was delivered.
CREATE TABLE replays (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- `replay/<no>`: where its progress is told.
    run text NOT NULL UNIQUE,
    source text NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    sink text NOT NULL,
    checkpoint bigint NOT NULL,
    delivered bigint NOT NULL DEFAULT 0,
    -- Only who holds it tells and writes checkpoints. Only grows.
    token bigint NOT NULL DEFAULT 1,
    owner text NOT NULL,
    touched_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- Leases of what one process of all does: retention. token only grows.
CREATE TABLE duties (
    name text PRIMARY KEY,
    token bigint NOT NULL DEFAULT 0,
    owner text,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    done_at timestamptz,
    note text NOT NULL DEFAULT ''
) WITH (fillfactor = 50);

-- Retention asks by day.
CREATE INDEX run_days_by_day ON run_days (day);

-- Terminal events of days that were dropped: kept for the audit, and so that a reader learns that a run has ended.
CREATE TABLE run_ends (LIKE run_events, PRIMARY KEY (run, seq));

-- What a sink was not given, since the day was dropped at its last bound.
CREATE TABLE outbox_gaps (
    run int NOT NULL,
    sink text NOT NULL,
    from_seq bigint NOT NULL,
    to_seq bigint NOT NULL,
    why text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run, sink, from_seq)
);
