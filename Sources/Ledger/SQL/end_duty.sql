-- $1 name, $2 token, $3 note
UPDATE duties SET owner = NULL, expires_at = '-infinity', done_at = clock_timestamp(), note = $3 WHERE name = $1 AND token = $2
