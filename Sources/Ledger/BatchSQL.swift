/// The statements of a shard's batch and of what its owner reads: files of the folder `SQL`, embedded.
enum BatchSQL {
    static let shardPosition = text(PackageResources.shard_position_sql)
    static let shardSettled = text(PackageResources.shard_settled_sql)
    static let shardSessions = text(PackageResources.shard_sessions_sql)
    static let shardWatermarks = text(PackageResources.shard_watermarks_sql)
    static let commitFence = text(PackageResources.commit_fence_sql)
    static let commitPosition = text(PackageResources.commit_position_sql)
    static let commitRepositories = text(PackageResources.commit_repositories_sql)
    static let commitSessions = text(PackageResources.commit_sessions_sql)
    static let commitWatermarks = text(PackageResources.commit_watermarks_sql)
    static let commitHeld = text(PackageResources.commit_held_sql)
    static let commitReleased = text(PackageResources.commit_released_sql)
    static let commitPostponed = text(PackageResources.commit_postponed_sql)
    static let commitRefused = text(PackageResources.commit_refused_sql)
    static let commitRefusedCounts = text(PackageResources.commit_refused_counts_sql)
    static let commitRefusedPrune = text(PackageResources.commit_refused_prune_sql)
    static let commitRewinds = text(PackageResources.commit_rewinds_sql)
    static let commitGaps = text(PackageResources.commit_gaps_sql)
    static let commitNotify = text(PackageResources.commit_notify_sql)
    static let selectRepositories = text(PackageResources.select_repositories_sql)
    static let selectHeld = text(PackageResources.select_held_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
