-- What was said of runs at their creation and end, by id. $1 ids
SELECT r.id, d.owner, d.metadata, d.end_reason, d.ended_by FROM runs r JOIN run_details d ON d.run = r.no WHERE r.id = ANY ($1::text[])
