INSERT INTO refused (shard, reason, detail, host, session, epoch, seq, kind, did, rev, frame, frame_size)
SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
