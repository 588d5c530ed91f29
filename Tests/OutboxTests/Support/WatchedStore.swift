import Events
import Outbox
import PostgresClient
import Synchronization

@testable import Ledger

/// The ledger of a test, which tells when something was done with it, and can fail where a process could die.
struct WatchedStore: SinkStore {
    let ledger: Ledger
    let watch: StoreWatch

    private func told<Value>(_ body: () async throws(LedgerError) -> Value) async throws(LedgerError) -> Value {
        defer { watch.changed() }
        return try await body()
    }

    func claimOutbox(sink: String, publisher: WorkerID, ttl: Duration, limit: Int) async throws(LedgerError) -> [OutboxClaim] {
        try await told { () throws(LedgerError) in
            try await ledger.claimOutbox(sink: sink, publisher: publisher, ttl: ttl, limit: limit)
        }
    }

    func markPublished(_ marks: [(claim: OutboxClaim, nextSeq: Int64)]) async throws(LedgerError) -> Set<RunID> {
        let sinks = Set(marks.filter { $0.nextSeq > $0.claim.nextSeq }.map(\.claim.sink))
        if watch.takesMark(of: sinks) {
            // As if the process had died before the mark: the claims are left behind, and run out at once.
            for claim in marks.map(\.claim) { try await expire(claim) }
            throw LedgerError(code: .unavailable, message: "died before the mark", place: "test")
        }
        return try await told { () throws(LedgerError) in try await ledger.markPublished(marks) }
    }

    private func expire(_ claim: OutboxClaim) async throws(LedgerError) {
        try await ledger.mapped("expire") {
            _ = try await ledger.pool.query(
                "UPDATE run_outbox SET expires_at = '-infinity' WHERE sink = $1 AND token = $2", [.text(claim.sink), .int64(claim.token.value)])
        }
    }

    func failOutbox(_ claim: OutboxClaim, error: String, retryAfter: Duration) async throws(LedgerError) {
        try await told { () throws(LedgerError) in try await ledger.failOutbox(claim, error: error, retryAfter: retryAfter) }
    }

    func haltOutbox(_ claim: OutboxClaim, reason: String) async throws(LedgerError) {
        try await told { () throws(LedgerError) in try await ledger.haltOutbox(claim, reason: reason) }
    }

    func withAppendNotifications(_ body: @Sendable (any AsyncSequence<String, any Error> & Sendable) async throws -> Void) async throws {
        try await ledger.withAppendNotifications(body)
    }

    func run(_ id: RunID) async throws(LedgerError) -> RunSummary? { try await ledger.run(id) }

    func events(run: RunID, after: Int64, limit: Int, maxBytes: Int) async throws(LedgerError) -> [LogEvent] {
        try await ledger.events(run: run, after: after, limit: limit, maxBytes: maxBytes)
    }

    func sinks(unreadable: (String, SinkProblem) -> Void) async throws(LedgerError) -> [RegisteredSink] {
        try await ledger.sinks(unreadable: unreadable)
    }

    func storeSink(_ definition: SinkDefinition, origin: RegisteredSink.Origin, onlyNew: Bool) async throws(LedgerError) -> SinkStored {
        try await told { () throws(LedgerError) in try await ledger.storeSink(definition, origin: origin, onlyNew: onlyNew) }
    }

    func removeSink(_ name: SinkName) async throws(LedgerError) -> Bool {
        try await told { () throws(LedgerError) in try await ledger.removeSink(name) }
    }

    func configuredSinks(but names: [SinkName]) async throws(LedgerError) -> [SinkName] { try await ledger.configuredSinks(but: names) }

    func matchRuns(page: Int) async throws(LedgerError) -> Int64 {
        try await told { () throws(LedgerError) in try await ledger.matchRuns(page: page) }
    }

    func registerConsumers(_ sinks: [RegisteredSink], worker: WorkerID) async throws(LedgerError) {
        try await told { () throws(LedgerError) in try await ledger.registerConsumers(sinks, worker: worker) }
    }

    func reportConsumers(_ reports: [SinkConsumerReport], worker: WorkerID) async throws(LedgerError) {
        try await told { () throws(LedgerError) in try await ledger.reportConsumers(reports, worker: worker) }
    }

    func sinkProgress(_ names: [SinkName]) async throws(LedgerError) -> [SinkName: SinkProgress] { try await ledger.sinkProgress(names) }

    func layAside(_ event: RefusedEvent, of claim: OutboxClaim) async throws(LedgerError) -> Bool {
        try await told { () throws(LedgerError) in try await ledger.layAside(event, of: claim) }
    }

    func halt(at event: RefusedEvent, of claim: OutboxClaim, reason: String) async throws(LedgerError) -> Bool {
        try await told { () throws(LedgerError) in try await ledger.halt(at: event, of: claim, reason: reason) }
    }

    func claimLetters(_ sink: SinkName, limit: Int, within: Duration) async throws(LedgerError) -> [Ledger.RequeuedLetter] {
        try await ledger.claimLetters(sink, limit: limit, within: within)
    }

    func settleLetters(
        delivered: [Int64], refused: [(id: Int64, error: String)], open: [Int64], retryAfter: Duration
    ) async throws(LedgerError) {
        try await told { () throws(LedgerError) in
            try await ledger.settleLetters(delivered: delivered, refused: refused, open: open, retryAfter: retryAfter)
        }
    }
}

/// Wakes a test when something was done, and says which marks are to fail.
final class StoreWatch: Sendable {
    private let state = Mutex<(marks: [String: Int], failed: Int)>(([:], 0))
    let changes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (changes, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func changed() { continuation.yield() }

    /// The next marks of a sink that move a cursor fail.
    func failMarks(of sink: String, _ count: Int) { state.withLock { $0.marks[sink] = count } }
    /// Marks that have failed.
    var failedMarks: Int { state.withLock { $0.failed } }

    func takesMark(of sinks: Set<String>) -> Bool {
        state.withLock { state in
            guard let sink = sinks.first, let left = state.marks[sink], left > 0 else { return false }
            state.marks[sink] = left - 1
            state.failed += 1
            return true
        }
    }
}
