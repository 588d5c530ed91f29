-- Snapshots of repositories: what is to be fetched and why, where enumerations stand, what was delivered of each tracked repository.

-- One row a repository that is, or was, to be fetched: the truth behind the stream repo_backfill.
-- waiting: to be fed at retry_at. queued: stands in the stream. fetching: a fetcher has it, under the id `attempt`. streamed: its snapshot stands in
-- firehose_backfill. done, refused (a final answer of the host), dead (given up): nothing more is to be done, until somebody wants a snapshot again.
CREATE TABLE backfill_jobs (
    did text COLLATE "C" PRIMARY KEY,
    shard int NOT NULL,
    -- The host whose enumeration listed it first; empty: wanted by a worker or through the API.
    source text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    -- Wanted once more while an attempt was under way: that one may have begun too early.
    again boolean NOT NULL DEFAULT false,
    attempt bigint NOT NULL DEFAULT 0,
    failures int NOT NULL DEFAULT 0,
    retry_at timestamptz NOT NULL DEFAULT now(),
    -- While queued, fetching or streamed: what is not further by then waits again.
    deadline timestamptz NOT NULL DEFAULT 'infinity',
    -- Where it was asked for last.
    host text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    records bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE INDEX backfill_jobs_waiting ON backfill_jobs (retry_at) WHERE state = 'waiting';
CREATE INDEX backfill_jobs_open ON backfill_jobs (deadline) WHERE state IN ('queued', 'fetching', 'streamed');
CREATE INDEX backfill_jobs_of_source ON backfill_jobs (source) WHERE state IN ('waiting', 'queued', 'fetching', 'streamed');

CREATE SEQUENCE backfill_attempts;

-- What was given up after too many tries, for people; queue says of what kind it is.
CREATE TABLE dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL,
    key text NOT NULL,
    error text NOT NULL,
    attempts int NOT NULL,
    dead_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letters_by_key ON dead_letters (queue, key);

-- Hosts that are left alone for a while.
CREATE TABLE parked_hosts (
    host text PRIMARY KEY,
    until timestamptz NOT NULL,
    failures int NOT NULL,
    reason text NOT NULL
);

-- Enumerations. The cursor is the host's own, opaque; pass counts how often it was gone through.
CREATE TABLE backfill_sources (
    source text PRIMARY KEY,
    method text NOT NULL,
    cursor text,
    state text NOT NULL DEFAULT 'listing',
    pass int NOT NULL DEFAULT 1,
    -- A pass after the first compares revisions: what differs from the stored one is wanted.
    gaps_seen bigint NOT NULL DEFAULT 0,
    listed bigint NOT NULL DEFAULT 0,
    -- Of those, listed in a final state: there is nothing to fetch.
    refused bigint NOT NULL DEFAULT 0,
    -- How often this pass had to begin again.
    restarts int NOT NULL DEFAULT 0,
    -- Jobs that had not ended, and those of them that wait after a failure, when the owner last counted.
    open bigint NOT NULL DEFAULT 0,
    failing bigint NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);

-- What came of the jobs of a source, by shard, so that no two shards' commits meet in one row.
CREATE TABLE backfill_progress (
    source text NOT NULL,
    shard int NOT NULL,
    done bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    dead bigint NOT NULL DEFAULT 0,
    records bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (source, shard)
) WITH (fillfactor = 50);

-- Repositories that were named by somebody: wanted, or to be left out whatever else asks for them.
CREATE TABLE repo_scope (
    did text COLLATE "C" PRIMARY KEY,
    shard int NOT NULL,
    wanted boolean NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

-- What the owner of a shard has still to do about a repository that left the scope, or came back.
CREATE TABLE repo_requests (
    shard int NOT NULL,
    did text COLLATE "C" NOT NULL,
    action text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, did)
);

-- How far each shard's backfill stream is resolved.
CREATE TABLE backfill_positions (
    shard int PRIMARY KEY,
    entry_id text NOT NULL DEFAULT '0-0',
    committed_at timestamptz
) WITH (fillfactor = 50);

-- The attempt that is being applied to a repository, or was and broke off (is_open false): a later one finds records of it.
CREATE TABLE snapshots (
    shard int NOT NULL,
    did text COLLATE "C" NOT NULL,
    attempt bigint NOT NULL,
    is_open boolean NOT NULL,
    -- The n that must come next, and the last key that is applied.
    next_n bigint NOT NULL,
    last_key text COLLATE "C" NOT NULL,
    count bigint NOT NULL,
    rev text NOT NULL,
    data bytea NOT NULL,
    host text NOT NULL,
    PRIMARY KEY (shard, did)
) WITH (fillfactor = 70);

-- What was delivered of each tracked repository: the latest record of each key that is not deleted. A partition a shard.
CREATE TABLE records (
    shard int NOT NULL,
    did text COLLATE "C" NOT NULL,
    path text COLLATE "C" NOT NULL,
    cid bytea NOT NULL,
    PRIMARY KEY (shard, did, path)
) PARTITION BY LIST (shard);

-- Up to so many delivered records of each range of keys, after "after" and up to "through" (empty: to the end). Planned anew for each call: a plan for
-- every shard would lock all partitions.
CREATE FUNCTION delivered_records(of_shard int, dids text[], afters text[], throughs text[], most int)
RETURNS TABLE (range_no bigint, path text, cid bytea) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
        SELECT g.no, f.path, f.cid
        FROM unnest(dids, afters, throughs) WITH ORDINALITY AS g (did, after, through, no)
        CROSS JOIN LATERAL (
            SELECT r.path, r.cid FROM records r
            WHERE r.shard = of_shard AND r.did = g.did AND r.path > g.after AND (g.through = '' OR r.path <= g.through)
            ORDER BY r.path LIMIT most
        ) f
        ORDER BY g.no, f.path;
END
$$;

-- With the number of shards, which is fixed once: nothing before it is.
CREATE FUNCTION make_backfill_shards(shards int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR shard IN 0..coalesce(shards, 0) - 1 LOOP
        EXECUTE format('CREATE TABLE records_%s PARTITION OF records FOR VALUES IN (%s) WITH (fillfactor = 80)', shard, shard);
        INSERT INTO backfill_positions (shard) VALUES (shard);
    END LOOP;
END
$$;
SELECT make_backfill_shards((SELECT value::int FROM settings WHERE name = 'shards'));
