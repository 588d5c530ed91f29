import Events
import Outbox
import Synchronization
import Testing

@testable import Ledger

/// The ledger's outbox in memory, with its leases; a test can make one of its steps fail.
actor MemoryOutbox: OutboxStore {
    struct Row {
        var nextSeq: Int64
        var token: Int64 = 0
        var isLeased = false
        var isHalted = false
        var servedAt = 0
        var error: String?
        var retryAfter: Duration?
    }

    private(set) var rows: [RunID: Row] = [:]
    private(set) var logs: [RunID: [LogEvent]] = [:]
    private var lastSeqs: [RunID: Int64] = [:]
    private var clock = 0
    private var marksToFail = 0
    private var waiters: [(condition: @Sendable ([RunID: Row]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    private let notifications: AsyncStream<String>
    private let notify: AsyncStream<String>.Continuation

    init() { (notifications, notify) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// - Parameter notifies: false: as if the notification were lost.
    func append(_ run: RunID, count: Int, missing: Set<Int64> = [], notifies: Bool = true) {
        let from = (lastSeqs[run] ?? 0) + 1
        for seq in from..<(from + Int64(count)) where !missing.contains(seq) {
            logs[run, default: []].append(LogEvent(run: run, seq: seq, kind: .record, did: "did:plc:\(seq)", body: [UInt8(ascii: "1")]))
        }
        lastSeqs[run] = from + Int64(count) - 1
        if rows[run] == nil { rows[run] = Row(nextSeq: 1) }
        if notifies { notify.yield(run.description) }
    }

    func failMarks(_ count: Int) { marksToFail = count }
    /// As a lease that ran out.
    func releaseAll() { for run in rows.keys { rows[run]?.isLeased = false } }

    /// Returns once the rows are so, or when the test is cancelled by its time limit; then says what they had come to.
    func reached(_ condition: @escaping @Sendable ([RunID: Row]) -> Bool, at location: SourceLocation = #_sourceLocation) async {
        if condition(rows) { return }
        await withTaskCancellationHandler {
            if !Task.isCancelled { await withCheckedContinuation { waiters.append((condition, $0)) } }
        } onCancel: {
            Task { await self.giveUp() }
        }
        if Task.isCancelled { Issue.record("never came to it: \(rows)", sourceLocation: location) }
    }

    private func giveUp() {
        for waiter in waiters { waiter.continuation.resume() }
        waiters = []
    }

    private func changed() {
        waiters.removeAll { waiter in
            guard waiter.condition(rows) else { return false }
            waiter.continuation.resume()
            return true
        }
    }

    func claimOutbox(sink: String, publisher: WorkerID, ttl: Duration, limit: Int) async throws(LedgerError) -> [OutboxClaim] {
        let pending = rows.filter { !$0.value.isLeased && !$0.value.isHalted && $0.value.nextSeq <= lastSeqs[$0.key] ?? 0 }
        var claims: [OutboxClaim] = []
        for (run, row) in pending.sorted(by: { ($0.value.servedAt, $0.key) < ($1.value.servedAt, $1.key) }).prefix(limit) {
            clock += 1
            rows[run]?.isLeased = true
            rows[run]?.token += 1
            rows[run]?.servedAt = clock
            claims.append(
                OutboxClaim(run: run, sink: sink, nextSeq: row.nextSeq, lastSeq: lastSeqs[run] ?? 0, token: FencingToken(row.token + 1)))
        }
        return claims
    }

    func markPublished(_ marks: [(claim: OutboxClaim, nextSeq: Int64)]) async throws(LedgerError) -> Set<RunID> {
        if marksToFail > 0 {
            marksToFail -= 1
            releaseAll()
            throw LedgerError(code: .unavailable, message: "cut", place: "markPublished")
        }
        var moved: Set<RunID> = []
        for (claim, nextSeq) in marks {
            guard let row = rows[claim.run], row.token == claim.token.value, row.nextSeq == claim.nextSeq else { continue }
            rows[claim.run]?.nextSeq = nextSeq
            rows[claim.run]?.isLeased = false
            moved.insert(claim.run)
        }
        changed()
        return moved
    }

    func failOutbox(_ claim: OutboxClaim, error: String, retryAfter: Duration) async throws(LedgerError) {
        rows[claim.run]?.error = error
        rows[claim.run]?.retryAfter = retryAfter
        rows[claim.run]?.isLeased = false
        changed()
    }

    func haltOutbox(_ claim: OutboxClaim, reason: String) async throws(LedgerError) {
        rows[claim.run]?.isHalted = true
        rows[claim.run]?.error = reason
        changed()
    }

    func withAppendNotifications(_ body: @Sendable (any AsyncSequence<String, any Error> & Sendable) async throws -> Void) async throws {
        try await body(notifications.map { (text: String) throws -> String in text })
    }

    func run(_ id: RunID) async throws(LedgerError) -> RunSummary? {
        guard let last = lastSeqs[id] else { return nil }
        return RunSummary(
            id: id, kind: "test", state: .started, startedAt: WallTime(microseconds: 0), finishedAt: nil, lastSeq: last, lastEventAt: nil,
            nextSeq: ["outlet": rows[id]?.nextSeq ?? 1])
    }

    func events(run: RunID, after: Int64, limit: Int, maxBytes: Int) async throws(LedgerError) -> [LogEvent] {
        Array((logs[run] ?? []).filter { $0.seq > after }.prefix(limit))
    }
}
