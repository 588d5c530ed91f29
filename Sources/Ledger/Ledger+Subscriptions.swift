import Events
internal import PostgresClient

/// Durable subscriptions: positions that clients acknowledge, kept by name. What a crash leaves behind is a position that is too old by what was
/// acknowledged since the last write: those events are delivered again.
extension Ledger {
    /// Subscriptions that there may be.
    public static let subscriptionsMax = 10_000
    /// Subscriptions that one call writes at most.
    public static let subscriptionBatchMax = 1_000

    /// Opens a subscription, made at `start` where there is none: from here on its newest client is this one. Nil at ``subscriptionsMax``.
    public func openSubscription(_ key: SubscriptionKey, start: [Int64]) async throws(LedgerError) -> SubscriptionOpening? {
        try await mapped("open subscription \(key.name)") {
            let rows = try await pool.query(
                ClientSQL.openSubscription,
                [.text(key.topic.description), .text(key.name), .int64s(start), .int64(Int64(Self.subscriptionsMax))])
            guard let row = rows.first else { return nil }
            return SubscriptionOpening(
                positions: try row.array("positions", of: Int64.self).compactMap { $0 }, connection: try row.value("connection"))
        }
    }

    /// Writes what was acknowledged, and tells the newest connection of each of `open`; those that were deleted are not among them.
    ///
    /// Positions never fall, whoever writes them and in whichever order. At most ``subscriptionBatchMax`` of each.
    public func keepSubscriptions(
        acked: [SubscriptionKey: [Int64]], open: [SubscriptionKey]
    ) async throws(LedgerError) -> [SubscriptionKey: Int64] {
        let given = Array(acked)
        return try await mapped("keep subscriptions") {
            var statements: [PostgresStatement] = []
            if !given.isEmpty {
                statements.append(
                    PostgresStatement(
                        ClientSQL.ackSubscriptions,
                        [
                            .texts(given.map(\.key.topic.description)), .texts(given.map(\.key.name)),
                            .texts(given.map { "{\($0.value.map(String.init).joined(separator: ","))}" }),
                        ]))
            }
            statements.append(
                PostgresStatement(ClientSQL.subscriptionConnections, [.texts(open.map(\.topic.description)), .texts(open.map(\.name))]))
            var connections: [SubscriptionKey: Int64] = [:]
            let answers = try await pool.pipeline(statements)
            for row in answers[answers.count - 1] {
                connections[try Self.key(row)] = try row.value("connection", as: Int64.self)
            }
            return connections
        }
    }

    /// In order of name, then topic; at most `limit` (1…1000).
    public func subscriptions(name: String?, after: SubscriptionKey?, limit: Int) async throws(LedgerError) -> [SubscriptionView] {
        try await mapped("subscriptions") {
            let rows = try await pool.query(
                ClientSQL.listSubscriptions,
                [.text(name), .text(after?.name ?? ""), .text(after?.topic.description ?? ""), .int64(Int64(min(max(limit, 1), 1000)))])
            return try rows.map { row in
                SubscriptionView(
                    key: try Self.key(row), positions: try row.array("positions", of: Int64.self).compactMap { $0 },
                    connection: try row.value("connection"), createdAt: try row.time("created_at"), openedAt: try row.time("opened_at"),
                    ackedAt: try row.optionalTime("acked_at"), behind: try row.value("behind"))
            }
        }
    }

    /// Forgets a name's subscription of one topic, or all of them; returns how many there were.
    public func deleteSubscriptions(name: String, topic: SubscriptionTopic?) async throws(LedgerError) -> Int {
        try await mapped("delete subscription \(name)") {
            try await pool.query(ClientSQL.deleteSubscriptions, [.text(name), .text(topic?.description)]).affectedRows
        }
    }

    /// Notes clients that come back too often; each is forgotten after an hour.
    public func noteFlapping(_ clients: [FlappingClient]) async throws(LedgerError) {
        guard !clients.isEmpty else { return }
        try await mapped("note flapping clients") {
            _ = try await pool.query(
                ClientSQL.noteFlapping,
                [
                    .texts(clients.map(\.client.storable)), .texts(clients.map(\.topic.storable)), .int32s(clients.map { Int32(clamping: $0.opens) }),
                ])
        }
    }

    private static func key(_ row: PostgresRow) throws -> SubscriptionKey {
        let text: String = try row.value("topic")
        guard let topic = SubscriptionTopic(text) else {
            throw LedgerError(code: .corrupt, message: "\(text) is no topic", place: "column topic")
        }
        return SubscriptionKey(topic: topic, name: try row.value("name"))
    }
}
