import Events
import Ledger

/// What whoever owns an upstream needs of the ledger: its lease, and to say how it is.
protocol UpstreamLeases: Sendable {
    func acquireUpstream(_ upstream: UpstreamName, worker: WorkerID, ttl: Duration) async throws(LedgerError) -> UpstreamLease?
    func renewUpstreams(_ leases: [UpstreamLease], worker: WorkerID, ttl: Duration) async throws(LedgerError) -> [UpstreamLeaseStatus]
    func releaseUpstream(_ lease: UpstreamLease) async throws(LedgerError)
    func reportUpstream(_ lease: UpstreamLease, report: UpstreamReport) async throws(LedgerError)
}

/// What the ingester of an upstream needs of the ledger; its own protocol, so that the rules above it are tested without a server.
protocol UpstreamLedger: UpstreamLeases {
    func resumePosition(_ upstream: UpstreamName) async throws(LedgerError) -> ResumePosition
    func endpoint(of upstream: UpstreamName) async throws(LedgerError) -> String?
    func openSession(_ lease: UpstreamLease, from: Position, gap: UpstreamEntry.Gap?, endpoint: String) async throws(LedgerError) -> Int64
    func closeSession(_ lease: UpstreamLease, session: Int64, reason: String, last: Position) async throws(LedgerError)
    func haltedShards() async throws(LedgerError) -> [Shard: String]
}

extension Ledger: UpstreamLedger {}
