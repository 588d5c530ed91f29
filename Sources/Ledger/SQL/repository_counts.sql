-- What is told of a repository beside its row, its job and its identity. $1 shard, $2 did, $3 up to where is counted
SELECT (SELECT wanted FROM repo_scope WHERE did = $2) AS wanted,
       (SELECT action FROM repo_requests WHERE shard = $1 AND did = $2) AS request,
       (SELECT count(*) FROM (SELECT FROM held WHERE shard = $1 AND did = $2 LIMIT $3) h) AS held,
       (SELECT count(*) FROM (SELECT FROM records WHERE shard = $1 AND did = $2 LIMIT $3) r) AS records
