public import Broker
public import Events
public import Ledger

/// What serving needs of the ledger; a seam for tests.
public protocol LogStore: Sendable {
    func runs(
        state: RunSummary.State?, kind: String?, prefixes: [String]?, after: RunID?, limit: Int
    ) async throws(LedgerError) -> [RunSummary]
    func run(_ id: RunID) async throws(LedgerError) -> RunSummary?
    func runs(_ ids: [RunID]) async throws(LedgerError) -> [RunID: RunSummary]
    func events(run: RunID, after: Int64, limit: Int, maxBytes: Int) async throws(LedgerError) -> [LogEvent]
    func status() async throws(LedgerError) -> FleetStatus
    func currentLabels(of subjects: [LabelSubject], sources: [String]?, limit: Int) async throws(LedgerError) -> [StoredLabel]
}

extension Ledger: LogStore {}

/// What serving needs of the outlet streams; a seam for tests.
public protocol OutletReader: Sendable {
    func read(run: RunID, after: Int64, count: Int) async throws(BrokerError) -> [LogEvent]
    /// Calls `body` with a function that waits for events after the given seqs on a connection of its own.
    func withFollower(_ body: (any OutletFollowing) async throws -> Void) async throws
}

public protocol OutletFollowing: Sendable {
    func read(after: [RunID: Int64], countPerRun: Int, block: Duration) async throws(BrokerError) -> [RunID: [LogEvent]]
}

extension OutletFollower: OutletFollowing {}

extension OutletStreams: OutletReader {
    public func withFollower(_ body: (any OutletFollowing) async throws -> Void) async throws {
        try await withFollower { (follower: OutletFollower) in try await body(follower) }
    }
}
