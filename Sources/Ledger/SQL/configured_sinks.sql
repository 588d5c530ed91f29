-- Sinks of the configuration that are not among $1: they were taken out of the file.
SELECT name FROM sinks WHERE origin = 'configuration' AND name <> ALL ($1) ORDER BY name
