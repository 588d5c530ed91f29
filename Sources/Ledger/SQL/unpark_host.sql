-- $1 host
DELETE FROM parked_hosts WHERE host = $1
