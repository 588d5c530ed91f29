-- $1 name, $2 text of the migration; no row where it was not applied yet
SELECT checksum = encode(sha256($2), 'hex') AS matches FROM migrations WHERE name = $1
