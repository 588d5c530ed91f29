-- What an operator wants again is written anew. $1 run, $2 first seq
DELETE FROM :table WHERE run = $1 AND seq >= $2
