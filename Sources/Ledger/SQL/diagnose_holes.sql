-- Where two neighbours among a run's last $2 seqs do not follow each other: a hole, or a seq that stands twice. $1 run id
SELECT x.seq, x.next FROM (
    SELECT e.seq, lead(e.seq) OVER (ORDER BY e.seq) AS next FROM run_events e JOIN runs r ON r.no = e.run
    WHERE r.id = $1 AND e.seq > r.last_seq - $2
) x WHERE x.next <> x.seq + 1 ORDER BY x.seq LIMIT 20
