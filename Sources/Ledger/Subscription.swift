public import Events

/// What a subscription is of: a run, or a log of all shards, merged.
public enum SubscriptionTopic: Hashable, Sendable, CustomStringConvertible {
    case run(RunID)
    case log(LiveLog)

    /// `run:jobs/7`, `log:firehose`: how it stands in the ledger.
    public var description: String {
        switch self {
        case .run(let id): "run:\(id)"
        case .log(let log): "log:\(log.rawValue)"
        }
    }

    /// Nil where the text was not made by ``description``.
    public init?(_ text: String) {
        if text.hasPrefix("run:"), let id = RunID(text.dropFirst(4)) {
            self = .run(id)
        } else if text.hasPrefix("log:"), let log = LiveLog(rawValue: String(text.dropFirst(4))) {
            self = .log(log)
        } else {
            return nil
        }
    }
}

/// Which subscription: one name may stand for one on each of several topics.
public struct SubscriptionKey: Hashable, Sendable {
    public var topic: SubscriptionTopic
    /// See ``isName(_:)``.
    public var name: String

    public init(topic: SubscriptionTopic, name: String) {
        self.topic = topic
        self.name = name
    }

    /// 1 to 128 characters of `A-Z a-z 0-9 . _ : -`.
    public static func isName(_ text: String) -> Bool { text.utf8.count <= 128 && !text.contains("/") && RunID(text) != nil }
}

/// A subscription that a client has opened.
public struct SubscriptionOpening: Hashable, Sendable {
    /// The last acknowledged seq of each run of the topic.
    public var positions: [Int64]
    /// Higher than that of every earlier client of the subscription.
    public var connection: Int64

    public init(positions: [Int64], connection: Int64) {
        self.positions = positions
        self.connection = connection
    }
}

/// A subscription as people see it.
public struct SubscriptionView: Hashable, Sendable {
    public var key: SubscriptionKey
    public var positions: [Int64]
    /// How many clients have opened it.
    public var connection: Int64
    public var createdAt: WallTime
    public var openedAt: WallTime
    public var ackedAt: WallTime?
    /// Events of its runs that are not acknowledged.
    public var behind: Int64

    public init(
        key: SubscriptionKey, positions: [Int64], connection: Int64, createdAt: WallTime, openedAt: WallTime, ackedAt: WallTime?, behind: Int64
    ) {
        self.key = key
        self.positions = positions
        self.connection = connection
        self.createdAt = createdAt
        self.openedAt = openedAt
        self.ackedAt = ackedAt
        self.behind = behind
    }
}

/// A client that came back too often.
public struct FlappingClient: Hashable, Sendable {
    /// A subscription's name, or an address.
    public var client: String
    public var topic: String
    /// In the last minute.
    public var opens: Int

    public init(client: String, topic: String, opens: Int) {
        self.client = client
        self.topic = topic
        self.opens = opens
    }
}
