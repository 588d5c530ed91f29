/// The statements about clients: files of the folder `SQL`, embedded.
enum ClientSQL {
    static let openSubscription = text(PackageResources.open_subscription_sql)
    static let ackSubscriptions = text(PackageResources.ack_subscriptions_sql)
    static let subscriptionConnections = text(PackageResources.subscription_connections_sql)
    static let listSubscriptions = text(PackageResources.list_subscriptions_sql)
    static let deleteSubscriptions = text(PackageResources.delete_subscriptions_sql)
    static let noteFlapping = text(PackageResources.note_flapping_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// The statements about replays, the log's days, and what one process of all does: files of the folder `SQL`, embedded.
enum UpkeepSQL {
    static let createReplay = text(PackageResources.create_replay_sql)
    static let takeReplay = text(PackageResources.take_replay_sql)
    static let checkpointReplay = text(PackageResources.checkpoint_replay_sql)
    static let firstSeqAfter = text(PackageResources.first_seq_after_sql)
    static let logDays = text(PackageResources.log_days_sql)
    static let keepEnds = text(PackageResources.keep_ends_sql)
    static let passSinks = text(PackageResources.pass_sinks_sql)
    static let forgetDay = text(PackageResources.forget_day_sql)
    static let takeDuty = text(PackageResources.take_duty_sql)
    static let endDuty = text(PackageResources.end_duty_sql)
    static let holdDuty = text(PackageResources.hold_duty_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
