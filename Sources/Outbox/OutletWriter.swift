public import Broker
public import Events

/// What a publisher needs of the outlet streams.
public protocol OutletWriter: Sendable {
    func publish(_ events: [LogEvent], run: RunID, lastSeq: Int64, keep: Int) async throws(BrokerError) -> OutletStreams.PublishResult
    func delete(run: RunID) async throws(BrokerError)
    /// Trims to about `keep` entries.
    func trim(run: RunID, keep: Int) async throws(BrokerError)
    /// How full the server is.
    func memory() async throws(BrokerError) -> BrokerMemory
}

extension OutletStreams: OutletWriter {}
