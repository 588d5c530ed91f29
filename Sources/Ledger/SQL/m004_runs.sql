-- Runs of applications: what was said at their creation and end, dedup keys, and the latest event of each key.

-- Beside `runs`, whose rows change with every append. owner: who created it (the name of a token; empty without one); idempotency keys are its own.
CREATE TABLE run_details (
    run int PRIMARY KEY,
    owner text NOT NULL DEFAULT '',
    idempotency_key text,
    metadata jsonb NOT NULL DEFAULT '{}',
    end_reason text,
    ended_by text
);
CREATE UNIQUE INDEX run_details_idempotency ON run_details (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- The seq that each dedup key was given. Written in the transaction that appends, under the lock of the run's row, and never changed.
CREATE TABLE run_dedup (
    run int NOT NULL,
    dedup_key text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (run, dedup_key)
);

-- The latest event of each key: its key sequence, which only grows, and where it stands in the log.
CREATE TABLE run_keys (
    run int NOT NULL,
    key text COLLATE "C" NOT NULL,
    key_seq bigint NOT NULL,
    seq bigint NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (run, key)
) WITH (fillfactor = 80);
