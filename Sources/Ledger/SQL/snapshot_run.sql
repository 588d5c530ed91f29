-- The latest event of each key, in order of (key sequence, key), and where the run stands at that moment: one row at least where there is such a run.
-- An event that retention has dropped is left out. $1 run id, $2 and $3 after key sequence and key, $4 limit of keys, $5 bytes of bodies as in read_events.sql
WITH head AS (
    SELECT no, state, last_seq FROM runs WHERE id = $1
), keys AS (
    SELECT k.run, k.key, k.key_seq, k.seq, k.day FROM run_keys k
    WHERE k.run = (SELECT no FROM head) AND (k.key_seq, k.key) > ($2, $3 COLLATE "C")
    ORDER BY k.key_seq, k.key LIMIT $4
), page AS (
    SELECT k.key_seq, k.key, e.*, sum(octet_length(e.body)) OVER (ORDER BY k.key_seq, k.key) - octet_length(e.body) AS bytes_before
    FROM keys k JOIN run_events e ON e.run = k.run AND e.seq = k.seq AND e.day = k.day
)
SELECT p.seq, p.kind, p.did, p.rev, p.collection, p.rkey, p.action, p.cid, p.live, p.host, p.time, p.mark, p.logged_at, p.body,
       h.state, h.last_seq, (SELECT count(*) FROM keys) AS key_count, (SELECT count(*) FROM page) AS page_count,
       (SELECT max(k.key_seq) FROM keys k) AS last_key_seq,
       (SELECT k.key FROM keys k ORDER BY k.key_seq DESC, k.key DESC LIMIT 1) AS last_key
FROM head h LEFT JOIN page p ON p.bytes_before < $5
ORDER BY p.key_seq, p.key
