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
