-- Everything that a fixed number of shards needs. $1 shards
WITH fixed AS (
    INSERT INTO settings (name, value) VALUES ('shards', $1::text)
), numbers AS (
    SELECT generate_series(0, $1 - 1) AS shard
), leases AS (
    INSERT INTO shards (shard) SELECT shard FROM numbers
), positions AS (
    INSERT INTO shard_positions (shard) SELECT shard FROM numbers
), made AS (
    INSERT INTO runs (id, kind) SELECT 'firehose/' || shard, 'firehose' FROM numbers ORDER BY shard RETURNING no
)
INSERT INTO run_outbox (run, sink) SELECT no, 'outlet' FROM made
