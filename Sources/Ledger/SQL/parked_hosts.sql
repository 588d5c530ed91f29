-- $1 limit
SELECT host, (extract(epoch FROM until - clock_timestamp()) * 1000)::bigint AS ms_left, failures, reason
FROM parked_hosts WHERE until > clock_timestamp() ORDER BY until DESC LIMIT $1
