import Broker
import Events
import Flow
import NIOCore
import Synchronization
import Testing

@testable import Ingest
@testable import Ledger

/// Redis, Postgres and the workers of one upstream in memory: streams, leases, sessions, and a worker that follows them by `SessionTracker`.
///
/// Everything happens under one lock, so that a test sees whole states; ``until(_:)`` waits for one.
final class MemoryFleet: UpstreamLedger, EntryStreams {
    struct Session: Hashable, Sendable {
        var number: Int64
        var host: String
        var from: Position
        var gap: UpstreamEntry.Gap?
    }

    struct State: Sendable {
        var streams: [[UpstreamEntry]]
        var consumed: [Int]
        var trackers: [String: [SessionTracker]] = [:]
        /// How often each number of a host was applied, and in which order the numbers of a DID came.
        var applied: [String: [Int64: Int]] = [:]
        var order: [String: [Int64]] = [:]
        /// Messages of labelers, where they stand and the shard that took them.
        var labels: [String: [(position: Position, shard: Shard)]] = [:]
        var malformed = 0
        var barriers = 0
        var rewinds = 0
        var pendingRewind: [String: Int64] = [:]
        var sessions: [Session] = []
        var ended: [String] = []
        var tokens: [String: Int64] = [:]
        var owners: [String: (worker: WorkerID, until: ContinuousClock.Instant)] = [:]
        var endpoints: [String: String] = [:]
        var hints: [String: CursorHint] = [:]
        var reports: [String: UpstreamReport] = [:]
        /// How often each host's owner reported: a clock that runs on while the owner lives.
        var reportCounts: [String: Int] = [:]
        var appends: [String: Int] = [:]
        /// How often somebody asked for the lease of a host and did not get it.
        var standBys: [String: Int] = [:]
        /// Workers take entries as they come; else they gather.
        var isWorking = true
        var refuse: (@Sendable (AppendItem) -> BrokerError?)?
        var haltedShards: Set<Shard> = []

        var backlog: Int { zip(streams, consumed).reduce(0) { $0 + $1.0.count - $1.1 } }
        func watermark(_ host: String) -> Position? { trackers[host]?.compactMap(\.state.watermark).min() }
        func seen(_ host: String) -> Int { applied[host]?.count ?? 0 }
    }

    private struct Locked: Sendable {
        var state: State
        var waiters: [(condition: @Sendable (State) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    let shards: ShardMap
    private let locked: Mutex<Locked>

    init(shards count: Int = 4) {
        shards = ShardMap(count: count)
        locked = Mutex(Locked(state: State(streams: Array(repeating: [], count: count), consumed: Array(repeating: 0, count: count))))
    }

    var state: State { locked.withLock { $0.state } }

    @discardableResult
    func change<Value: Sendable>(_ body: @Sendable (inout State) -> Value) -> Value {
        let (value, woken) = locked.withLock { locked in
            let value = body(&locked.state)
            if locked.state.isWorking { locked.state.work() }
            let state = locked.state
            let woken = locked.waiters.filter { $0.condition(state) }.map(\.continuation)
            locked.waiters.removeAll { $0.condition(state) }
            return (value, woken)
        }
        woken.forEach { $0.resume() }
        return value
    }

    /// Waits until a state fulfils a condition, or until the test is cancelled by its time limit; then says what it had come to.
    func until(_ condition: @escaping @Sendable (State) -> Bool, at location: SourceLocation = #_sourceLocation) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let holds = locked.withLock { locked in
                    if condition(locked.state) || Task.isCancelled { return true }
                    locked.waiters.append((condition, continuation))
                    return false
                }
                if holds { continuation.resume() }
            }
        } onCancel: {
            let waiters = locked.withLock { locked in
                defer { locked.waiters = [] }
                return locked.waiters
            }
            waiters.forEach { $0.continuation.resume() }
        }
        if Task.isCancelled { Issue.record("never came to it: \(state.summary)", sourceLocation: location) }
    }

    // MARK: Redis

    func append(_ items: [AppendItem], lane: Int) async -> [AppendResult] {
        change { state in
            items.map { item in
                if let error = state.refuse?(item) { return .refused(error) }
                var entry = item.entry
                entry.frame = item.frame.map { Array($0.readableBytesView) } ?? []
                state.streams[item.shard].append(entry)
                state.appends[entry.host, default: 0] += 1
                return .written(EntryID(milliseconds: 1, sequence: UInt64(state.streams[item.shard].count)))
            }
        }
    }

    func levels() async throws(BrokerError) -> BrokerLevels {
        let state = state
        let entries = zip(state.streams, state.consumed).map { $0.0.count - $0.1 }
        return BrokerLevels(entries: entries, bytes: entries.map { $0 * 100 }, usedMemory: 0, maxMemory: 0)
    }

    func cursorHint(host: String) async throws(BrokerError) -> CursorHint? { state.hints[host] }

    func setCursorHint(_ hint: CursorHint, host: String) async throws(BrokerError) { change { $0.hints[host] = hint } }

    /// What `FLUSHALL` does.
    func flush() {
        change { state in
            for shard in state.streams.indices {
                state.streams[shard] = []
                state.consumed[shard] = 0
            }
            state.hints = [:]
        }
    }

    // MARK: Postgres

    func acquireUpstream(_ upstream: UpstreamName, worker: WorkerID, ttl: Duration) async throws(LedgerError) -> UpstreamLease? {
        change { state in
            if let owner = state.owners[upstream.host], owner.until > .now {
                state.standBys[upstream.host, default: 0] += 1
                return nil
            }
            state.tokens[upstream.host, default: 0] += 1
            state.owners[upstream.host] = (worker, .now + ttl)
            return UpstreamLease(upstream: upstream, token: FencingToken(state.tokens[upstream.host] ?? 0))
        }
    }

    func renewUpstreams(_ leases: [UpstreamLease], worker: WorkerID, ttl: Duration) async throws(LedgerError) -> [UpstreamLeaseStatus] {
        change { state in
            leases.filter { state.holds($0) }.map { lease in
                state.owners[lease.upstream.host] = (worker, .now + ttl)
                return UpstreamLeaseStatus(lease: lease, rewindOf: state.pendingRewind[lease.upstream.host])
            }
        }
    }

    func releaseUpstream(_ lease: UpstreamLease) async throws(LedgerError) {
        change { if $0.holds(lease) { $0.owners[lease.upstream.host] = nil } }
    }

    func resumePosition(_ upstream: UpstreamName) async throws(LedgerError) -> ResumePosition {
        state.watermark(upstream.host).map { .at($0) } ?? .none
    }

    func endpoint(of upstream: UpstreamName) async throws(LedgerError) -> String? { state.endpoints[upstream.host] }

    func openSession(
        _ lease: UpstreamLease, from: Position, gap: UpstreamEntry.Gap?, endpoint: String
    ) async throws(LedgerError) -> Int64 {
        let number: Int64? = change { state in
            guard state.holds(lease) else { return nil }
            let host = lease.upstream.host
            let number = Int64(state.sessions.count + 1)
            state.sessions.append(Session(number: number, host: host, from: from, gap: gap))
            state.pendingRewind[host] = nil
            state.endpoints[host] = endpoint
            if state.trackers[host] == nil {
                state.trackers[host] = state.streams.map { _ in SessionTracker(state: SessionTracker.State(watermark: from)) }
            }
            return number
        }
        guard let number else { throw LedgerError(code: .fenced, message: "not the owner", place: "open session") }
        return number
    }

    func closeSession(_ lease: UpstreamLease, session: Int64, reason: String, last: Position) async throws(LedgerError) {
        change { $0.ended.append(reason) }
    }

    func reportUpstream(_ lease: UpstreamLease, report: UpstreamReport) async throws(LedgerError) {
        change { state in
            state.reports[lease.upstream.host] = report
            state.reportCounts[lease.upstream.host, default: 0] += 1
        }
    }

    func haltedShards() async throws(LedgerError) -> [Shard: String] {
        Dictionary(uniqueKeysWithValues: state.haltedShards.map { ($0, "halted by a test") })
    }
}

extension MemoryFleet.State {
    var summary: String {
        """
        sessions \(sessions) ended \(ended) applied \(applied.mapValues(\.count)) watermarks \(trackers.mapValues { $0.map { $0.state.watermark?.seq ?? -1 } }) \
        backlog \(backlog) rewinds \(rewinds) pending \(pendingRewind) reports \(reports) hints \(hints.mapValues(\.position))
        """
    }

    func holds(_ lease: UpstreamLease) -> Bool { tokens[lease.upstream.host] == lease.token.value && owners[lease.upstream.host] != nil }

    /// What the workers of all shards do with what they have not read yet.
    mutating func work() {
        for shard in streams.indices where !haltedShards.contains(shard) {
            while consumed[shard] < streams[shard].count {
                let entry = streams[shard][consumed[shard]]
                consumed[shard] += 1
                take(entry, shard)
            }
        }
    }

    private mutating func take(_ entry: UpstreamEntry, _ shard: Shard) {
        guard let verdict = trackers[entry.host]?[shard].received(entry) else { return }
        switch verdict {
        case .apply:
            if entry.kind == .malformed { malformed += 1 }
            if entry.kind == .labels { labels[entry.host, default: []].append((entry.position, shard)) }
            guard !entry.did.isEmpty else { break }
            applied[entry.host, default: [:]][entry.position.seq, default: 0] += 1
            order[entry.did, default: []].append(entry.position.seq)
        case .barrier:
            barriers += 1
        case .hole(let session, _, _), .unopened(let session), .shed(let session):
            rewinds += 1
            pendingRewind[entry.host] = session
        case .opened, .duplicate, .stale:
            break
        }
    }
}
