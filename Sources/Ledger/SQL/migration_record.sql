-- $1 name, $2 text of the migration
INSERT INTO migrations (name, checksum) VALUES ($1, encode(sha256($2), 'hex'))
