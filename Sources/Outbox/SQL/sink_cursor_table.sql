-- How far each run is in this database, moved in the transaction that writes the rows.
CREATE TABLE IF NOT EXISTS :cursors (
    sink text COLLATE "C" NOT NULL,
    run text COLLATE "C" NOT NULL,
    epoch int NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (sink, run)
) WITH (fillfactor = 50);
