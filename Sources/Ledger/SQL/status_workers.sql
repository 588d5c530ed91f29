SELECT id FROM workers WHERE expires_at > clock_timestamp() ORDER BY id
