/// The statements about leases, upstreams and their sessions: files of the folder `SQL`, embedded.
enum LeaseSQL {
    static let renewShards = text(PackageResources.renew_shards_sql)
    static let acquireShards = text(PackageResources.acquire_shards_sql)
    static let stuckShards = text(PackageResources.stuck_shards_sql)
    static let endBackends = text(PackageResources.end_backends_sql)
    static let releaseShards = text(PackageResources.release_shards_sql)
    static let leaveWorker = text(PackageResources.leave_worker_sql)
    static let haltShard = text(PackageResources.halt_shard_sql)
    static let haltedShards = text(PackageResources.halted_shards_sql)
    static let createUpstream = text(PackageResources.create_upstream_sql)
    static let acquireUpstream = text(PackageResources.acquire_upstream_sql)
    static let stuckUpstream = text(PackageResources.stuck_upstream_sql)
    static let renewUpstreams = text(PackageResources.renew_upstreams_sql)
    static let releaseUpstream = text(PackageResources.release_upstream_sql)
    static let resumePosition = text(PackageResources.resume_position_sql)
    static let upstreamEndpoint = text(PackageResources.upstream_endpoint_sql)
    static let anyUpstream = text(PackageResources.any_upstream_sql)
    static let issuedNumbers = text(PackageResources.issued_numbers_sql)
    static let openSession = text(PackageResources.open_session_sql)
    static let closeSession = text(PackageResources.close_session_sql)
    static let reportUpstream = text(PackageResources.report_upstream_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
