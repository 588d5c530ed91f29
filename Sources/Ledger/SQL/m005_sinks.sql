-- Sinks: what is desired, what workers say of each, and events that were laid aside.

-- Desired sinks. What one is stands in its settings, names and values side by side (a list's name stands once for each value);
-- which runs it takes and where it begins stand beside them, since statements need them.
-- generation grows with every change of what it is or shall do: workers begin it anew.
CREATE TABLE sinks (
    name text COLLATE "C" PRIMARY KEY,
    setting_names text[] NOT NULL,
    setting_values text[] NOT NULL,
    run_kinds text[] NOT NULL,
    run_prefix text NOT NULL,
    -- Where it begins in runs that are older than it; null: at their end.
    start_seq bigint,
    -- running or paused.
    state text NOT NULL DEFAULT 'running',
    -- configuration or api.
    origin text NOT NULL,
    generation bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What each worker says of each sink that it runs: a row from before the first batch on. Read by people, decides nothing.
CREATE TABLE sink_consumers (
    sink text COLLATE "C" NOT NULL,
    worker text NOT NULL,
    generation bigint NOT NULL,
    state text NOT NULL,
    since timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    breaker text NOT NULL,
    delivered bigint NOT NULL,
    per_second double precision NOT NULL,
    failures bigint NOT NULL,
    error text,
    error_at timestamptz,
    retry_at timestamptz,
    PRIMARY KEY (sink, worker)
) WITH (fillfactor = 50);

-- How often the cursor was set by an operator: a target that keeps the cursor itself begins anew where its own is of another number.
ALTER TABLE run_outbox ADD COLUMN epoch int NOT NULL DEFAULT 0;
CREATE INDEX run_outbox_halted ON run_outbox (sink) WHERE halted_reason IS NOT NULL;

-- Events that a sink's target refused, beside the jobs that were given up: queue is sink, key the sink's name. state: dead, requeued or skipped;
-- halted where the event stands at the cursor and its run waits for it.
ALTER TABLE dead_letters
    ADD COLUMN run text,
    ADD COLUMN seq bigint,
    ADD COLUMN payload text,
    ADD COLUMN state text NOT NULL DEFAULT 'dead',
    ADD COLUMN changed_at timestamptz NOT NULL DEFAULT clock_timestamp();
CREATE UNIQUE INDEX dead_letters_of_event ON dead_letters (key, run, seq) WHERE queue = 'sink';
CREATE INDEX dead_letters_requeued ON dead_letters (key) WHERE queue = 'sink' AND state = 'requeued';

-- Whether a sink takes a run.
CREATE FUNCTION takes_run(kinds text[], prefix text, run_kind text, run_id text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT (kinds = '{}' OR run_kind = ANY (kinds)) AND starts_with(run_id, prefix)
$$;

-- A new run has its cursors from the first moment, each at its first event. The lock keeps a sink that is being removed from getting another one.
CREATE FUNCTION add_run_to_sinks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO run_outbox (run, sink, tail_seq)
    SELECT NEW.no, s.name, NEW.last_seq FROM sinks s
    WHERE takes_run(s.run_kinds, s.run_prefix, NEW.kind, NEW.id)
    ORDER BY s.name FOR KEY SHARE
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER run_has_cursors AFTER INSERT ON runs FOR EACH ROW EXECUTE FUNCTION add_run_to_sinks();
