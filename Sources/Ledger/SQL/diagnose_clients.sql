SELECT client, topic, opens, (extract(epoch FROM clock_timestamp() - last_at) * 1000)::bigint AS age_ms FROM flapping_clients
WHERE last_at > clock_timestamp() - interval '10 minutes' ORDER BY opens DESC, client LIMIT 50
