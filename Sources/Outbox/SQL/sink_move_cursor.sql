-- $1 sink, $2 run, $3 epoch, $4 seq
UPDATE :cursors SET epoch = $3, seq = $4 WHERE sink = $1 AND run = $2
