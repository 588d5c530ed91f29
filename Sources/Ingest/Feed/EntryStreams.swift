import Broker
import Events

/// What the ingester of an upstream needs of the broker; its own protocol, so that the rules above it are tested without a server.
protocol EntryStreams: Sendable {
    var shards: ShardMap { get }
    func append(_ items: [AppendItem], lane: Int) async -> [AppendResult]
    func levels() async throws(BrokerError) -> BrokerLevels
    func cursorHint(host: String) async throws(BrokerError) -> CursorHint?
    func setCursorHint(_ hint: CursorHint, host: String) async throws(BrokerError)
}

extension WorkStreams: EntryStreams {}
