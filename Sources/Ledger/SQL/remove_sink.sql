-- $1 name. Waits for runs that are being made with it; its cursors are deleted by the statement behind this one, which sees them.
DELETE FROM sinks WHERE name = $1 RETURNING origin
