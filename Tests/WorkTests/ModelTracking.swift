import ATProto
import Events
import Flow
import Ledger

@testable import Work

/// Tracked repositories, their host, a relay, fetchers and a shard's owner, without servers: the decisions are Weir's, the ledger is a few dictionaries
/// that do what the statements of the real one do.
struct ModelTracking {
    /// A repository as its host has it.
    struct Host {
        var records: [String: String] = [:]
        var rev = ""
        var isActive = true
        var history: [(rev: String, records: [String: String])] = [("", [:])]
        var data: [UInt8] { Array(records.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",").utf8) }
    }

    enum Step: Hashable, CustomStringConvertible {
        /// A commit of an account that changes some keys; it may be lost on the way, or come later.
        case commit(account: Int, keys: [Int], value: Int, isLost: Bool, isDelayed: Bool)
        case setActive(account: Int, Bool)
        /// The host loses its last commits.
        case fork(account: Int, commits: Int)
        case deliverDelayed
        /// A fetcher takes a waiting job, reads the repository, and writes some of its entries: all, or up to so many, without those that are lost.
        case fetch(account: Int, entries: Int?, lost: Int?)
        /// A fetcher read the repository, and writes when this ends: another may be faster.
        case slowFetch(account: Int)
        case finishSlowFetch
        case owner(entries: Int)
        case flush
        case takeOver
        case remove(account: Int)
        case add(account: Int)

        var description: String {
            switch self {
            case .commit(let account, let keys, let value, let isLost, let isDelayed):
                "commit \(account) keys \(keys) = \(value)\(isLost ? " lost" : "")\(isDelayed ? " delayed" : "")"
            case .setActive(let account, let isActive): "account \(account) active \(isActive)"
            case .fork(let account, let commits): "host of \(account) loses \(commits) commits"
            case .deliverDelayed: "what was delayed arrives"
            case .fetch(let account, let entries, let lost):
                "fetch \(account), entries \(entries.map(String.init) ?? "all"), lost \(lost.map(String.init) ?? "none")"
            case .slowFetch(let account): "fetch \(account), slowly"
            case .finishSlowFetch: "the slow fetch writes"
            case .owner(let entries): "the owner takes \(entries) entries"
            case .flush: "the backfill stream is lost"
            case .takeOver: "take-over"
            case .remove(let account): "remove \(account)"
            case .add(let account): "add \(account)"
            }
        }
    }

    struct Job { var state = "waiting", again = false, attempt: Int64 = 0, storedRev = "" }

    static let accounts = 2
    var hosts = [Host](repeating: Host(), count: Self.accounts)
    var delayed: [Message] = []
    var slow: [(entries: [SnapshotEntry], job: Job)] = []
    var stream: [SnapshotEntry] = []
    var removed = Set<Int>()
    private var revs = 0
    private var attempts: Int64 = 0
    private var seconds: Int64 = 0
    private var seq: Int64 = 0

    // The ledger.
    var chains: [String: RepositoryChain] = [:]
    var progress: [String: SnapshotProgress] = [:]
    var records: [String: [String: [UInt8]]] = [:]
    var jobs: [String: Job] = [:]
    var held: [Int64: HeldMessage] = [:]
    var lastHeld: Int64 = 0
    /// What a consumer of the log has.
    var consumer: [String: [String: String]] = [:]
    var isGone = Set<String>()
    var problem: String?

    // The owner's memory.
    var holds: HoldTable
    let policy = HoldPolicy(predecessor: .seconds(5), identity: .seconds(3_600))
    let tracking: TrackingConfiguration
    let rangeMax: Int

    init(rangeMax: Int, holdMax: Int) {
        self.rangeMax = rangeMax
        tracking = TrackingConfiguration(scope: .full)
        holds = HoldTable(limits: .init(perDID: holdMax, total: 3 * holdMax))
    }

    static func did(_ account: Int) -> String { "did:plc:\(account)" }
    private var now: WallTime { WallTime(microseconds: seconds * 1_000_000) }
    private var lease: ShardLease { ShardLease(shard: 0, token: FencingToken(1)) }

    private mutating func nextRev() -> String {
        revs += 1
        return "3k" + String(1_000_000 + revs)
    }

    // MARK: What happens

    mutating func happen(_ step: Step) {
        seconds += 1
        switch step {
        case .commit(let account, let keys, let value, let isLost, let isDelayed):
            guard let message = commit(account, keys, value) else { return }
            if isDelayed { delayed.append(message) } else if !isLost { live([message]) }
        case .setActive(let account, let isActive):
            guard hosts[account].isActive != isActive else { return }
            hosts[account].isActive = isActive
            live([message(account, .account, rev: "", .account(active: isActive, status: isActive ? "" : "deactivated"))])
        case .fork(let account, let commits):
            let history = hosts[account].history
            guard history.count > commits, commits > 0 else { return }
            hosts[account].history = Array(history.dropLast(commits))
            hosts[account].rev = history[history.count - commits - 1].rev
            hosts[account].records = history[history.count - commits - 1].records
            if hosts[account].rev.isEmpty { hosts[account].history = [("", [:])] }
        case .deliverDelayed:
            let messages = delayed
            delayed = []
            live(messages)
        case .fetch(let account, let entries, let lost):
            guard let (all, job) = fetch(account) else { return }
            write(all, job, count: entries, lost: lost)
        case .slowFetch(let account): if let fetched = fetch(account) { slow.append(fetched) }
        case .finishSlowFetch:
            guard !slow.isEmpty else { return }
            let (entries, job) = slow.removeFirst()
            write(entries, job, count: nil, lost: nil)
        case .owner(let count): snapshots(count)
        case .flush: stream = []
        case .takeOver:
            var table = HoldTable(limits: holds.limits)
            for (_, message) in held.sorted(by: { $0.key < $1.key }) { table.hold(message.did, dueAt: message.dueAt) }
            for did in Set(held.values.map(\.did)) { table.wake(did) }
            holds = table
        case .remove(let account): request(account, .remove)
        case .add(let account): request(account, .add)
        }
        sweep()
    }

    /// No more faults: everything waits its time out, jobs are fetched, until nothing is left to do.
    mutating func settle() {
        happen(.deliverDelayed)
        slow = []
        for account in 0..<Self.accounts {
            happen(.setActive(account: account, true))
            // What was lost on the way shows with the next commit.
            happen(.commit(account: account, keys: [0], value: 1_000 + account, isLost: false, isDelayed: false))
        }
        for _ in 0..<40 {
            seconds += 60
            sweep()
            // Deadlines: an attempt that went no further is fetched again.
            for (did, job) in jobs where job.state == "fetching" || job.state == "streamed" {
                if !stream.contains(where: { $0.did == did && $0.attempt == job.attempt }) { jobs[did]?.state = "waiting" }
            }
            for account in 0..<Self.accounts where jobs[Self.did(account)]?.state == "waiting" {
                happen(.fetch(account: account, entries: nil, lost: nil))
            }
            snapshots(100)
        }
    }

    /// What is wrong once it has settled.
    func difference() -> String? {
        if let problem { return problem }
        for account in 0..<Self.accounts {
            let did = Self.did(account)
            if removed.contains(account) { continue }
            let chain = chains[did]
            if chain?.status != .active {
                return "\(did) ended as \(chain.map { "\($0.status) \($0.reason)" } ?? "unknown"), job \(String(describing: jobs[did]))"
            }
            if chain?.rev != hosts[account].rev { return "\(did) ended at \(chain?.rev ?? ""), its host at \(hosts[account].rev)" }
            if consumer[did, default: [:]] != hosts[account].records {
                return "\(did): consumer has \(consumer[did, default: [:]]), host \(hosts[account].records)"
            }
            let kept = records[did, default: [:]].keys.sorted()
            if kept != hosts[account].records.keys.sorted() { return "\(did): the table has \(kept)" }
            if held.values.contains(where: { $0.did == did }) { return "\(did) has held messages" }
        }
        return nil
    }

    // MARK: Hosts and fetchers

    private mutating func commit(_ account: Int, _ keys: [Int], _ value: Int) -> Message? {
        guard hosts[account].isActive else { return nil }
        let before = hosts[account]
        var operations: [VerifiedCommitParts.Record] = []
        for key in Set(keys).sorted() {
            let path = "a.b/\(key)"
            let cid = CID(hashing: Array("\(value)".utf8)).description
            let old = before.records[path]
            if value % 4 == 0 {
                guard old != nil else { continue }
                hosts[account].records[path] = nil
                operations.append(.init(action: .delete, collection: "a.b", rkey: "\(key)", cid: "", body: []))
            } else {
                hosts[account].records[path] = cid
                operations.append(
                    .init(action: old == nil ? .create : .update, collection: "a.b", rkey: "\(key)", cid: cid, body: Array("\(value)".utf8)))
            }
        }
        let rev = nextRev()
        hosts[account].rev = rev
        hosts[account].history.append((rev, hosts[account].records))
        let parts = VerifiedCommitParts(
            rev: rev, since: before.rev.isEmpty ? nil : before.rev, prevData: before.rev.isEmpty ? nil : before.data, data: hosts[account].data,
            mark: "", records: operations, badRecords: [])
        return message(account, .commit, rev: rev, .commit(parts))
    }

    private mutating func message(_ account: Int, _ kind: UpstreamEntry.Kind, rev: String, _ content: ModelJudgement) -> Message {
        seq += 1
        judgements[seq] =
            switch content {
            case .commit(let parts): .commit(parts)
            case .account(let active, let status): .account(time: now, active: active, status: status, body: Array("\(active)".utf8))
            }
        return Message(
            entry: UpstreamEntry(
                host: "relay", session: 1, n: seq, position: Position(epoch: 1, seq: seq), kind: kind, did: Self.did(account), rev: rev))
    }

    private enum ModelJudgement {
        case commit(VerifiedCommitParts)
        case account(active: Bool, status: String)
    }
    private var judgements: [Int64: Judgement] = [:]

    private mutating func fetch(_ account: Int) -> ([SnapshotEntry], Job)? {
        let did = Self.did(account)
        guard var job = jobs[did], job.state == "waiting" || job.state == "fetching" else { return nil }
        attempts += 1
        job.attempt = attempts
        job.again = false
        job.state = "fetching"
        job.storedRev = chains[did]?.rev ?? ""
        jobs[did] = job
        let host = hosts[account]
        func entry(_ n: Int64, _ kind: SnapshotEntry.Kind) -> SnapshotEntry {
            SnapshotEntry(did: did, attempt: job.attempt, n: n, kind: kind, host: "pds", rev: host.rev, data: host.data)
        }
        guard host.isActive, !host.rev.isEmpty else {
            var absent = entry(0, .absent)
            absent.reason = host.isActive ? "notFound" : "deactivated"
            return ([absent], job)
        }
        let all = host.records.sorted { $0.key < $1.key }.map { SnapshotRecord(path: $0.key, cid: $0.value, body: Array($0.value.utf8)) }
        let isFork = host.rev < job.storedRev
        if all.count < 2 {
            var whole = entry(0, .whole)
            (whole.records, whole.count, whole.isFork) = (all, Int64(all.count), isFork)
            return ([whole], job)
        }
        var entries = [entry(0, .open)]
        entries[0].isFork = isFork
        var after = ""
        for start in stride(from: 0, to: all.count, by: 2) {
            var part = entry(Int64(entries.count), .records)
            part.records = Array(all[start..<min(start + 2, all.count)])
            (part.after, part.through) = (after, part.records.last?.path ?? "")
            after = part.through
            entries.append(part)
        }
        var close = entry(Int64(entries.count), .close)
        close.count = Int64(all.count)
        return (entries + [close], job)
    }

    private mutating func write(_ entries: [SnapshotEntry], _ job: Job, count: Int?, lost: Int?) {
        var written = Array(entries.prefix(count ?? entries.count))
        let isWhole = written.count == entries.count
        if let lost, !written.isEmpty { written.remove(at: lost % written.count) }
        stream += written
        guard isWhole, let did = entries.first?.did, jobs[did]?.attempt == job.attempt, jobs[did]?.state == "fetching" else { return }
        jobs[did]?.state = "streamed"
    }

    // MARK: The owner

    private mutating func live(_ messages: [Message]) { decide(messages, settling: []) }

    private mutating func sweep() {
        while true {
            let due = holds.due(at: now, limit: 16)
            guard !due.isEmpty else { return }
            let forced = Set(due.filter(\.isForced).map(\.did))
            var messages: [Message] = []
            for did in due.map(\.did) {
                let rows = held.values.filter { $0.did == did }.sorted { $0.id < $1.id }
                for row in HeldOrder.sorted(rows, rev: { $0.rev.isEmpty ? nil : $0.rev }) {
                    messages.append(
                        Message(
                            entry: row.entry,
                            held: .init(
                                id: row.id, reason: row.reason, since: row.heldSince, dueAt: row.dueAt, attempts: row.attempts,
                                isForced: forced.contains(did))))
                }
            }
            decide(messages, settling: due.map(\.did))
        }
    }

    private mutating func decide(_ messages: [Message], settling dids: [String]) {
        var decision = BatchDecision(
            batch: ShardBatch(lease: lease), chains: chains, holds: holds, policy: policy, tracking: tracking, now: now)
        for message in messages { decision.take(message, judgements[message.entry.n] ?? .ignored) }
        decision.settle(dids)
        let batch = decision.finished()
        commit(batch)
        holds = decision.holds
        for did in decision.changed { chains[did] = decision.chains[did] }
        check()
    }

    private mutating func snapshots(_ most: Int) {
        var left = most
        while left > 0, !stream.isEmpty {
            let entries = Array(stream.prefix(min(left, 3)))
            let part = Array(entries.prefix(SnapshotDecision.prefix(entries)))
            let attempts = jobs.filter { $0.value.state != "done" && $0.value.state != "refused" }.mapValues(\.attempt)
            let probe = SnapshotDecision(
                batch: ShardBatch(lease: lease), chains: chains, progress: progress, holds: holds, attempts: attempts, tracking: tracking)
            let ranges = probe.ranges(for: part)
            var decision = probe
            var taken = 0
            for (place, entry) in part.enumerated() {
                var delivered: [Ledger.DeliveredRecord] = []
                if let range = ranges[place] {
                    delivered = records[range.did, default: [:]].filter { $0.key > range.after && (range.through.isEmpty || $0.key <= range.through) }
                        .sorted { $0.key < $1.key }.prefix(rangeMax).map { .init(path: $0.key, cid: $0.value) }
                } else if !records[entry.did, default: [:]].isEmpty, progress[entry.did] == nil, entry.kind == .whole, chains[entry.did]?.rev == "" {
                    problem = "nothing was looked up for \(entry.did), of which records were delivered"
                }
                guard decision.take(entry, delivered: delivered, isAll: delivered.count < rangeMax) else { break }
                taken += 1
            }
            commit(decision.finished())
            for did in decision.changed { chains[did] = decision.chains[did] }
            for did in decision.heldDropped { holds.settled(did, count: 0, dueAt: now) }
            for did in decision.woken { holds.wake(did) }
            stream.removeFirst(taken)
            left -= max(taken, 1)
            sweep()
        }
        check()
    }

    private mutating func request(_ account: Int, _ action: RepositoryRequest.Action) {
        let did = Self.did(account)
        var chain = chains[did] ?? RepositoryChain(isTracked: true)
        switch action {
        case .remove:
            guard chain.remove() else { return }
            removed.insert(account)
            records[did] = nil
            consumer[did] = nil
            progress[did] = nil
            jobs[did] = nil
            held = held.filter { $0.value.did != did }
            holds.settled(did, count: 0, dueAt: now)
        case .add:
            guard chain.add() else { return }
            removed.remove(account)
            want(did)
        }
        chains[did] = chain
    }
}
