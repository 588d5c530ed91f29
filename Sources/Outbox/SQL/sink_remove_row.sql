-- An event that is delivered again by itself replaces itself. $1 run, $2 seq
DELETE FROM :table WHERE run = $1 AND seq = $2
