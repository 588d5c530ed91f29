-- The cursor, locked to the end of the transaction: whoever else would write this run waits, and then finds what was written.
-- $1 sink, $2 run, $3 epoch, $4 seq that a new one begins behind
INSERT INTO :cursors AS c (sink, run, epoch, seq) VALUES ($1, $2, $3, $4)
ON CONFLICT (sink, run) DO UPDATE SET epoch = c.epoch RETURNING epoch, seq
