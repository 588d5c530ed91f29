/// The statements of what a shard's owner does with snapshots: files of the folder `SQL`, embedded.
enum SnapshotSQL {
    static let wantSnapshots = text(PackageResources.want_snapshots_sql)
    static let endAttempts = text(PackageResources.end_attempts_sql)
    static let renewAttempts = text(PackageResources.renew_attempts_sql)
    static let backfillPosition = text(PackageResources.backfill_position_sql)
    static let commitBackfillPosition = text(PackageResources.commit_backfill_position_sql)
    static let selectSnapshots = text(PackageResources.select_snapshots_sql)
    static let currentAttempts = text(PackageResources.current_attempts_sql)
    static let commitSnapshots = text(PackageResources.commit_snapshots_sql)
    static let dropSnapshots = text(PackageResources.drop_snapshots_sql)
    static let selectDelivered = text(PackageResources.select_delivered_sql)
    static let commitRecords = text(PackageResources.commit_records_sql)
    static let commitRecordsGone = text(PackageResources.commit_records_gone_sql)
    static let dropRecords = text(PackageResources.drop_records_sql)
    static let wantedDids = text(PackageResources.wanted_dids_sql)
    static let selectRequests = text(PackageResources.select_requests_sql)
    static let dropHeld = text(PackageResources.drop_held_sql)
    static let dropRequests = text(PackageResources.drop_requests_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
