internal import Events

/// The statements about labels, and those that each live log has for itself: files of the folder `SQL`, embedded.
enum LabelSQL {
    static let commitLabels = text(PackageResources.commit_labels_sql)
    static let commitHeld = text(PackageResources.commit_held_labels_sql)
    static let commitReleased = text(PackageResources.commit_released_labels_sql)
    static let commitPostponed = text(PackageResources.commit_postponed_labels_sql)
    static let selectLabels = text(PackageResources.select_labels_sql)
    static let selectHeld = text(PackageResources.select_held_labels_sql)
    static let heldIndex = text(PackageResources.held_labels_index_sql)
    static let currentLabels = text(PackageResources.current_labels_sql)
    static let selectKeys = text(PackageResources.select_label_keys_sql)
    static let storeKeys = text(PackageResources.store_label_keys_sql)
    fileprivate static let position = text(PackageResources.label_position_sql)
    fileprivate static let settled = text(PackageResources.label_settled_sql)
    fileprivate static let commitPosition = text(PackageResources.commit_label_position_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

extension LiveLog {
    /// Where a shard's stream is resolved to, its run's last seq, and what it holds.
    var shardPosition: String {
        switch self {
        case .firehose: BatchSQL.shardPosition
        case .labels: LabelSQL.position
        }
    }

    var shardSettled: String {
        switch self {
        case .firehose: BatchSQL.shardSettled
        case .labels: LabelSQL.settled
        }
    }

    var commitPosition: String {
        switch self {
        case .firehose: BatchSQL.commitPosition
        case .labels: LabelSQL.commitPosition
        }
    }
}
