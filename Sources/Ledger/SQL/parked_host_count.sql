SELECT count(*) AS parked FROM parked_hosts WHERE until > clock_timestamp()
