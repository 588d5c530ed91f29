-- The tables of the spine: leases, sessions and watermarks, repositories, held and refused messages, runs and their log, outbox.
-- Names are unqualified: the migration runs with search_path set to Weir's schema.

CREATE TABLE settings (
    name text PRIMARY KEY,
    value text NOT NULL
);

-- One row a process with a role; fresh while expires_at is ahead.
CREATE TABLE workers (
    id text PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

-- Leases of shards. The batch that commits work holds FOR KEY SHARE on its row: it blocks a take-over, which changes the key (shard, token),
-- and lets a renewal pass, which does not. token only grows.
CREATE TABLE shards (
    shard int PRIMARY KEY,
    token bigint NOT NULL DEFAULT 0,
    owner text,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    lease_moves bigint NOT NULL DEFAULT 0,
    halted_reason text,
    halted_at timestamptz,
    UNIQUE (shard, token)
) WITH (fillfactor = 50);

-- Fails where a fence was not held: what follows in a pipeline then does not run, and the transaction cannot be committed.
CREATE FUNCTION require_fence(held int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF held IS NULL THEN
        RAISE EXCEPTION 'the token is not the current one: another process owns it' USING ERRCODE = 'WR001';
    END IF;
END
$$;

-- How far each shard's work stream is resolved. A row of its own, so that commits never meet renewals.
CREATE TABLE shard_positions (
    shard int PRIMARY KEY,
    entry_id text NOT NULL DEFAULT '0-0',
    committed_at timestamptz
) WITH (fillfactor = 50);

CREATE SEQUENCE session_numbers;

-- Leases of upstreams and where their numbering began.
CREATE TABLE upstreams (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    host text NOT NULL,
    token bigint NOT NULL DEFAULT 0,
    owner text,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    session bigint,
    baseline_epoch int,
    baseline_seq bigint,
    UNIQUE (kind, host),
    UNIQUE (id, token)
) WITH (fillfactor = 50);

-- One row a connection start, kept for post-mortems.
CREATE TABLE sessions (
    session bigint PRIMARY KEY,
    upstream int NOT NULL REFERENCES upstreams (id),
    token bigint NOT NULL,
    from_epoch int NOT NULL,
    from_seq bigint NOT NULL,
    gap_after_epoch int,
    gap_after_seq bigint,
    gap_through_epoch int,
    gap_through_seq bigint,
    opened_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    close_reason text,
    last_epoch int,
    last_seq bigint
);
CREATE INDEX sessions_of_upstream ON sessions (upstream, session);

-- A worker found a hole in this session. The upstream's owner honours it only while that session is current.
CREATE TABLE rewinds (
    upstream int NOT NULL,
    session bigint NOT NULL,
    shard int NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (upstream, session)
);

-- What an upstream's owner says of itself, each few seconds.
CREATE TABLE upstream_reports (
    upstream int PRIMARY KEY,
    state text NOT NULL,
    reason text NOT NULL,
    epoch int,
    seq bigint,
    events bigint NOT NULL,
    bytes bigint NOT NULL,
    last_message_at timestamptz,
    reported_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- All of an upstream up to (epoch, seq) is resolved in this shard. Only rises.
CREATE TABLE watermarks (
    upstream int NOT NULL,
    shard int NOT NULL,
    epoch int NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (upstream, shard)
) WITH (fillfactor = 50);

-- The n that a shard expects next of a session.
CREATE TABLE session_progress (
    upstream int NOT NULL,
    shard int NOT NULL,
    session bigint NOT NULL,
    expected_n bigint NOT NULL,
    broken boolean NOT NULL,
    PRIMARY KEY (upstream, shard, session)
) WITH (fillfactor = 50);

-- Positions that an upstream itself no longer had.
CREATE TABLE declared_gaps (
    upstream int NOT NULL,
    after_epoch int NOT NULL,
    after_seq bigint NOT NULL,
    through_epoch int NOT NULL,
    through_seq bigint NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (upstream, after_epoch, after_seq, through_epoch, through_seq)
);

-- A partition a shard: a batch changes hundreds of rows of one shard, and they lie on few pages of the table and of its index.
CREATE TABLE repositories (
    shard int NOT NULL,
    did text NOT NULL,
    rev text NOT NULL,
    data bytea NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    identity_time timestamptz,
    account_time timestamptz,
    PRIMARY KEY (shard, did)
) PARTITION BY LIST (shard);

-- Planned anew for each call: a plan for every shard would lock all partitions and their indexes, in each session that tries it.
CREATE FUNCTION known_repositories(of_shard int, dids text[]) RETURNS SETOF repositories LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT * FROM repositories r WHERE r.shard = of_shard AND r.did = ANY (dids);
END
$$;

-- With the number of shards, which is fixed once.
CREATE FUNCTION make_repository_partitions(shards int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR shard IN 0..shards - 1 LOOP
        EXECUTE format('CREATE TABLE repositories_%s PARTITION OF repositories FOR VALUES IN (%s) WITH (fillfactor = 70)', shard, shard);
    END LOOP;
END
$$;

CREATE TABLE identities (
    did text PRIMARY KEY,
    status text NOT NULL,
    signing_key text NOT NULL,
    host text NOT NULL,
    handle text NOT NULL,
    fetched_at timestamptz NOT NULL
) WITH (fillfactor = 80);

-- Messages that wait for a predecessor or a key, so that no stream offset does.
CREATE TABLE held (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard int NOT NULL,
    did text NOT NULL,
    rev text NOT NULL,
    reason text NOT NULL,
    host text NOT NULL,
    session bigint NOT NULL,
    n bigint NOT NULL,
    epoch int NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    time text NOT NULL,
    frame bytea NOT NULL,
    held_since timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    attempts int NOT NULL
);
CREATE INDEX held_due ON held (shard, due_at);
CREATE INDEX held_by_did ON held (shard, did, rev);

-- Refused messages: counted for ever, kept for inspection up to a bound a shard.
CREATE TABLE refused_counts (
    shard int NOT NULL,
    reason text NOT NULL,
    count bigint NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (shard, reason)
) WITH (fillfactor = 50);
CREATE TABLE refused (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard int NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    host text NOT NULL,
    session bigint NOT NULL,
    epoch int NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    did text NOT NULL,
    rev text NOT NULL,
    frame bytea NOT NULL,
    frame_size int NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refused_of_shard ON refused (shard, id);

-- no: short key of the log's rows.
CREATE TABLE runs (
    no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    kind text NOT NULL,
    state text NOT NULL DEFAULT 'started',
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    last_seq bigint NOT NULL DEFAULT 0,
    last_event_at timestamptz,
    -- The day of the last events; never falls.
    last_day date
) WITH (fillfactor = 50);

-- The log. seq is contiguous from 1 in a run: the lock on the run's row guarantees it, since a partitioned table can't carry UNIQUE (run, seq).
-- An event's day is taken under that lock and never falls within a run.
CREATE TABLE run_events (
    run int NOT NULL,
    seq bigint NOT NULL,
    day date NOT NULL,
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
    mark text NOT NULL,
    logged_at timestamptz NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (run, seq, day)
) PARTITION BY RANGE (day);
CREATE TABLE run_events_default PARTITION OF run_events DEFAULT;

-- The first seq of a run on each day: prunes reads to the partitions that hold them.
CREATE TABLE run_days (
    run int NOT NULL,
    day date NOT NULL,
    first_seq bigint NOT NULL,
    PRIMARY KEY (run, day)
);

-- Where each sink stands in each run: published means seq < next_seq. tail_seq follows the run's last seq in the transaction that appends,
-- so pending is true of the row itself and no wake-up can be lost between an append and a mark.
CREATE TABLE run_outbox (
    run int NOT NULL,
    sink text NOT NULL,
    next_seq bigint NOT NULL DEFAULT 1,
    tail_seq bigint NOT NULL DEFAULT 0,
    halted_reason text,
    pending boolean GENERATED ALWAYS AS (next_seq <= tail_seq AND halted_reason IS NULL) STORED,
    token bigint NOT NULL DEFAULT 0,
    owner text,
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    retry_at timestamptz NOT NULL DEFAULT '-infinity',
    served_at timestamptz NOT NULL DEFAULT '-infinity',
    attempts int NOT NULL DEFAULT 0,
    error text,
    published_at timestamptz,
    PRIMARY KEY (run, sink)
) WITH (fillfactor = 50);
CREATE INDEX run_outbox_pending ON run_outbox (sink, served_at) WHERE pending;

-- Makes the log's partitions of today and the days ahead; a day whose rows already stand in the default partition stays there.
CREATE FUNCTION make_run_partitions(days_ahead int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    day date;
    name text;
    made int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(current_schema() || '.run_events', 0));
    FOR day IN SELECT today + ahead FROM generate_series(0, days_ahead) AS ahead LOOP
        name := 'run_events_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(format('%I.%I', current_schema(), name)) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE TABLE %I PARTITION OF run_events FOR VALUES FROM (%L) TO (%L)', name, day, day + 1);
            made := made + 1;
        EXCEPTION WHEN check_violation THEN
            NULL;
        END;
    END LOOP;
    RETURN made;
END
$$;
