import Events
import Flow
import Ledger

@testable import Work

/// One shard that hears of a few DIDs from two relays, which repeat, lose and delay messages: the real ``BatchDecision``, ``RepositoryChain``, ``HoldTable``
/// and ``HeldOrder`` between them and a log that is plain arrays.
///
/// The source is a list of revs for each DID, each following the one before. No session, no signature, no store.
struct ModelOrder {
    enum Event {
        /// A relay brings its next messages in one batch.
        case deliver(relay: Int, count: Int)
        /// A relay goes back, as after a rewind.
        case rewind(relay: Int, by: Int)
        case pass(seconds: Int), sweep
        /// The key of a DID can be had, or not.
        case key(did: Int, isThere: Bool)
        /// The worker is another one: all that was in memory is read from the rows.
        case takeOver
    }

    struct Setting {
        /// By relay, in its own order: (DID, index of the message in the DID's source, 1 and up; 0 an identity event).
        var relays: [[(did: Int, index: Int)]]
        var dids: Int
        /// Held messages wait as long as it takes, and every message comes by one of the relays: all of them are due in the log.
        var isPatient: Bool
        var limits: HoldTable.Limits
    }

    private struct Row {
        var held: HeldMessage
        var index: Int
    }

    let setting: Setting
    private let policy: HoldPolicy
    private var next: [Int]
    private var keys: [Bool]
    private var now = WallTime(microseconds: 1_000_000_000_000)
    private var chains: [String: RepositoryChain] = [:]
    private var holds: HoldTable
    private var rows: [Row] = []
    private var nextID: Int64 = 1
    /// By DID, what the log has: revs, and nil for a break that was told.
    private(set) var log: [[Int?]]
    private(set) var problem: String?
    private var refusedCount = 0

    init(_ setting: Setting) {
        self.setting = setting
        policy =
            setting.isPatient
            ? HoldPolicy(predecessor: .seconds(1_000_000), identity: .seconds(1_000_000))
            : HoldPolicy(predecessor: .seconds(5), identity: .seconds(30))
        next = Array(repeating: 0, count: setting.relays.count)
        keys = Array(repeating: true, count: setting.dids)
        holds = HoldTable(limits: setting.limits)
        log = Array(repeating: [], count: setting.dids)
    }

    mutating func perform(_ event: Event) {
        switch event {
        case .deliver(let relay, let count): deliver(relay, count)
        case .rewind(let relay, let by): next[relay] = max(0, next[relay] - by)
        case .pass(let seconds): now = WallTime(microseconds: now.microseconds + Int64(seconds) * 1_000_000)
        case .sweep: sweep()
        case .key(let did, let isThere): keys[did] = isThere
        case .takeOver:
            holds = HoldTable(limits: setting.limits)
            for row in rows { holds.hold(row.held.did, dueAt: row.held.dueAt) }
        }
    }

    private func rev(_ index: Int) -> String { "3k\(1_000 + index)" }

    private func message(_ did: Int, _ index: Int, held: Message.HeldPlace? = nil) -> Message {
        let entry = UpstreamEntry(
            host: "relay", session: 1, n: 1, position: Position(epoch: 1, seq: 1), kind: index == 0 ? .identity : .commit, did: "did:\(did)",
            rev: index == 0 ? "" : rev(index))
        return Message(entry: entry, held: held)
    }

    private func judgement(_ did: Int, _ index: Int) -> Judgement {
        if index == 0 { return .identity(time: now, body: []) }
        guard keys[did] else { return .waitsForIdentity }
        let record = VerifiedCommitParts.Record(action: .create, collection: "c", rkey: "k", cid: "", body: [])
        return .commit(
            VerifiedCommitParts(
                rev: rev(index), since: index == 1 ? nil : rev(index - 1), prevData: [UInt8(index - 1)], data: [UInt8(index)], mark: "",
                records: [record], badRecords: []))
    }

    private mutating func deliver(_ relay: Int, _ count: Int) {
        let source = setting.relays[relay]
        let taken = source[next[relay]..<min(source.count, next[relay] + count)]
        next[relay] += taken.count
        commit(taken.map { (message($0.did, $0.index), $0.did, $0.index) }, settling: [])
    }

    private mutating func sweep() {
        let due = holds.due(at: now, limit: 16)
        guard !due.isEmpty else { return }
        var messages: [(Message, Int, Int)] = []
        for one in due {
            let ofDID = rows.filter { $0.held.did == one.did }
            for row in HeldOrder.sorted(ofDID, rev: { $0.held.rev.isEmpty ? nil : $0.held.rev }) {
                let held = row.held
                let place = Message.HeldPlace(
                    id: held.id, reason: held.reason, since: held.heldSince, dueAt: held.dueAt, attempts: held.attempts, isForced: one.isForced)
                guard let did = Int(held.did.dropFirst(4)) else { continue }
                messages.append((message(did, row.index, held: place), did, row.index))
            }
        }
        commit(messages, settling: due.map(\.did))
    }

    private mutating func commit(_ messages: [(message: Message, did: Int, index: Int)], settling: [String]) {
        let batch = ShardBatch(lease: ShardLease(shard: 0, token: FencingToken(1)))
        var decision = BatchDecision(batch: batch, chains: chains, holds: holds, policy: policy, now: now)
        var indices: [Int] = []
        for (message, did, index) in messages {
            let before = decision.batch.held.count
            decision.take(message, judgement(did, index))
            if decision.batch.held.count > before { indices.append(index) }
        }
        decision.settle(settling)
        let result = decision.finished()
        holds = decision.holds
        for (did, chain) in decision.chains { chains[did] = chain }
        rows.removeAll { result.released.contains($0.held.id) }
        for (id, dueAt) in result.postponed {
            guard let place = rows.firstIndex(where: { $0.held.id == id }) else { return problem = "row \(id) is postponed and not there" }
            rows[place].held.dueAt = dueAt
            rows[place].held.attempts += 1
        }
        for (held, index) in zip(result.held, indices) {
            var row = Row(held: held, index: index)
            row.held.id = nextID
            nextID += 1
            rows.append(row)
        }
        refusedCount += result.refused.count
        for event in result.events { append(event) }
        if holds.count != rows.count { problem = "the table counts \(holds.count) held messages of \(rows.count)" }
    }

    /// Each rev once, upward; what does not follow the one before is told as a break first.
    private mutating func append(_ event: LogEvent) {
        guard let did = Int(event.did.dropFirst(4)), event.kind != .identity else { return }
        guard event.kind == .record, let index = Int(event.rev.dropFirst(2)).map({ $0 - 1_000 }) else { return log[did].append(nil) }
        if let last = log[did].lazy.compactMap({ $0 }).last {
            if index <= last { problem = "did \(did): rev \(index) after rev \(last)" }
            if index > last + 1, log[did].last != .some(nil) { problem = "did \(did): rev \(index) after rev \(last), and no break told" }
            if index == last + 1, log[did].last == .some(nil) { problem = "did \(did): a break told in front of rev \(index), which follows" }
        }
        log[did].append(index)
    }

    /// Both relays bring all they have, keys are there, deadlines pass: nothing stays held, and a patient shard has everything.
    mutating func settle() {
        for did in keys.indices { keys[did] = true }
        for relay in setting.relays.indices { while problem == nil, next[relay] < setting.relays[relay].count { deliver(relay, 7) } }
        for round in 0..<40 where problem == nil && !rows.isEmpty {
            sweep()
            // A new owner looks at what it took over when that is due, not at once: for the patient one that is late.
            perform(.pass(seconds: setting.isPatient ? (round == 20 ? 1_000_000 : 61) : 6))
        }
        guard problem == nil else { return }
        if !rows.isEmpty { return problem = "\(rows.count) messages stay held: \(rows.map { "\($0.held.did) \($0.index) \($0.held.reason)" })" }
        if !setting.isPatient { return }
        if refusedCount > 0 { problem = "\(refusedCount) refused" }
        for did in 0..<setting.dids {
            guard let first = log[did].first, let start = first else { continue }
            let last = setting.relays.flatMap { $0 }.filter { $0.did == did }.map(\.index).max() ?? 0
            if log[did] != Array(start...max(start, last)).map({ $0 }) {
                problem = "did \(did): \(log[did].map { $0 ?? -1 }) instead of \(start)...\(last)"
            }
        }
    }
}
