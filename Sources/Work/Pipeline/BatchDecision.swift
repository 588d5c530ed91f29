internal import ATProto
internal import Events
internal import Flow
internal import Ledger

/// What one batch of judged messages changes: log events, repositories, held and refused messages. Messages of one DID are taken in their order.
///
/// No I/O and no clock. Does not own sessions, offsets and watermarks (`ShardRun` adds them), nor the seqs, which the commit gives.
struct BatchDecision {
    private(set) var batch: ShardBatch
    private(set) var holds: HoldTable
    /// Repositories as the batch leaves them: those that it was given, and those that it met.
    private(set) var chains: [String: RepositoryChain]
    private(set) var changed: Set<String> = []
    /// DIDs whose document may have changed.
    private(set) var identitiesChanged: Set<String> = []
    private(set) var duplicates = 0
    private(set) var ignored = 0
    /// Held messages that were given up because a snapshot will bring what they say.
    private(set) var superseded = 0
    /// Of held messages that stay held: by DID, how many and when the first is due.
    private(set) var stillHeld: [String: (count: Int, dueAt: WallTime)] = [:]
    /// Of record changes in this batch: by DID and path, the place among `batch.tracked.records`.
    private var recordPlaces: [String: [String: Int]] = [:]
    private let policy: HoldPolicy
    private let tracking: TrackingConfiguration
    /// DIDs of which nothing is known and that nobody wants.
    private var outside: Set<String>
    private let now: WallTime

    init(
        batch: ShardBatch, chains: [String: RepositoryChain], holds: HoldTable, policy: HoldPolicy,
        tracking: TrackingConfiguration = TrackingConfiguration(), outside: Set<String> = [], now: WallTime
    ) {
        self.batch = batch
        self.chains = chains
        self.holds = holds
        self.policy = policy
        self.tracking = tracking
        self.outside = outside
        self.now = now
    }

    mutating func take(_ message: Message, _ judgement: Judgement) {
        guard isInScope(message.entry.did, judgement) else {
            ignored += 1
            return resolved(message)
        }
        switch judgement {
        case .commit(let parts): commit(message, parts)
        case .sync(let rev, let data, let mark): sync(message, rev: rev, data: data, mark: mark)
        case .identity(let time, let body):
            guard !mustWaitInLine(message) else { return hold(message, .predecessor) }
            update(message.entry.did) {
                $0.identity(time: time)
            } whenTrue: {
                $0.append(message, .identity, body)
            }
            identitiesChanged.insert(message.entry.did)
            resolved(message)
        case .account(let time, let active, let status, let body):
            guard !mustWaitInLine(message) else { return hold(message, .predecessor) }
            update(message.entry.did) {
                $0.account(active: active, status: status, time: time)
            } whenTrue: {
                $0.append(message, .account, body)
                $0.wantAfterReturn(message)
            }
            resolved(message)
        case .waitsForIdentity: waitForIdentity(message)
        case .refused(let reason, let detail): refuse(message, reason, detail)
        case .duplicate:
            duplicates += 1
            resolved(message)
        case .ignored:
            ignored += 1
            resolved(message)
        }
    }

    /// An entry of the stream that is none of Weir's.
    mutating func refuseUndecodable(_ detail: String, _ id: EntryID) {
        let entry = UpstreamEntry(host: "", session: 0, n: 0, position: Position(epoch: 0, seq: 0), kind: .malformed)
        batch.refused.append(RefusedMessage(reason: "undecodableEntry", detail: "\(id): \(detail)", entry: entry))
    }

    /// The held messages of these DIDs were looked at.
    mutating func settle(_ dids: [String]) {
        for did in dids { holds.settled(did, count: stillHeld[did]?.count ?? 0, dueAt: stillHeld[did]?.dueAt ?? now) }
    }

    /// The batch with everything of it, repositories included.
    func finished() -> ShardBatch {
        var result = batch
        result.repositories = changed.sorted().compactMap { did in chains[did].map { Self.state(did, $0) } }
        return result
    }

    private mutating func commit(_ message: Message, _ parts: VerifiedCommitParts) {
        let did = message.entry.did
        var chain = chain(of: did)
        // Nothing is stored yet and earlier messages wait: to adopt this revision would make repeats of them.
        if chain.rev.isEmpty, !chain.isTracked, mustQueue(message) { return hold(message, .predecessor) }
        let place = RepositoryChain.Commit(rev: parts.rev, since: parts.since, prevData: parts.prevData, data: parts.data)
        switch chain.commit(place, overdue: message.held.map { policy.isOverdue($0, now: now) } ?? false) {
        case .duplicate:
            duplicates += 1
            return resolved(message)
        case .hold: return hold(message, .predecessor)
        case .wait(let want):
            note(message, chain, want)
            return holdForSnapshot(message)
        case .ignore:
            ignored += 1
            return resolved(message)
        case .withhold: set(did, chain)
        case .apply(let broken):
            set(did, chain)
            if let broken { append(message, .sync, Self.reason(broken.rawValue), rev: parts.rev) }
            let mark = broken == nil ? parts.mark : parts.mark.isEmpty ? "chain" : parts.mark + ",chain"
            for record in parts.records where tracking.delivers(record.collection) {
                append(message, record, rev: parts.rev, mark: mark)
                if chain.isTracked { deliver(did, record) }
            }
        }
        for bad in parts.badRecords { batch.refused.append(RefusedMessage(reason: "badRecord", detail: bad, entry: message.entry)) }
        holds.wake(did)
        resolved(message)
    }

    private mutating func sync(_ message: Message, rev: String, data: [UInt8], mark: String) {
        guard !mustWaitInLine(message) else { return hold(message, .predecessor) }
        let did = message.entry.did
        var chain = chain(of: did)
        switch chain.sync(rev: rev, data: data) {
        case .duplicate, .hold: duplicates += 1
        case .withhold: set(did, chain)
        case .wait(let want): note(message, chain, want)
        case .ignore: ignored += 1
        case .apply(let broken):
            set(did, chain)
            if let broken { append(message, .sync, Self.reason(broken.rawValue), rev: rev, mark: mark) }
            holds.wake(did)
        }
        resolved(message)
    }

    /// Whether earlier messages of the DID are held, which this one may not overtake.
    private func mustQueue(_ message: Message) -> Bool {
        if message.held != nil { return stillHeld[message.entry.did] != nil }
        return holds.holds(message.entry.did)
    }

    /// As ``mustQueue(_:)``, but what waits for a snapshot holds nothing up: the repository's state is open until then, and its account's is not.
    private func mustWaitInLine(_ message: Message) -> Bool {
        mustQueue(message) && !(chains[message.entry.did]?.waitsForSnapshot ?? false)
    }

    private mutating func waitForIdentity(_ message: Message) {
        if let held = message.held, policy.hasGivenUp(on: held, now: now) {
            return refuse(message, "identityUnavailable", "no key could be had for \(policy.identity)")
        }
        hold(message, .identity)
    }

    private mutating func hold(_ message: Message, _ reason: HeldMessage.Reason) {
        let did = message.entry.did
        guard let held = message.held else {
            let dueAt = policy.firstLook(reason, since: now)
            batch.held.append(
                HeldMessage(did: did, rev: message.entry.rev, reason: reason, entry: message.entry, heldSince: now, dueAt: dueAt))
            return holds.hold(did, dueAt: dueAt)
        }
        var dueAt = held.dueAt
        if dueAt <= now {
            dueAt = policy.nextLook(attempts: held.attempts, now: now)
            batch.postponed.append((held.id, dueAt))
        }
        let before = stillHeld[did]
        stillHeld[did] = ((before?.count ?? 0) + 1, before.map { min($0.dueAt, dueAt) } ?? dueAt)
    }

    private mutating func holdForSnapshot(_ message: Message) {
        let did = message.entry.did
        // What there is no room for is brought by a snapshot that begins after this commit.
        let isOver = message.held?.isForced ?? (holds.count(of: did) >= holds.limits.perDID)
        guard isOver else { return hold(message, .snapshot) }
        want(did, .overflow)
        superseded += 1
        resolved(message)
    }

    private mutating func refuse(_ message: Message, _ reason: String, _ detail: String) {
        batch.refused.append(RefusedMessage(reason: reason, detail: detail, entry: message.entry))
        resolved(message)
    }

    private mutating func resolved(_ message: Message) {
        if let held = message.held { batch.released.append(held.id) }
    }

    private mutating func update(
        _ did: String, _ change: (inout RepositoryChain) -> Bool, whenTrue: (inout BatchDecision) -> Void
    ) {
        var chain = chain(of: did)
        guard change(&chain) else {
            duplicates += 1
            return
        }
        set(did, chain)
        whenTrue(&self)
    }

    private mutating func set(_ did: String, _ chain: RepositoryChain) {
        chains[did] = chain
        changed.insert(did)
    }

    private mutating func append(_ message: Message, _ kind: LogEvent.Kind, _ body: [UInt8], rev: String = "", mark: String = "") {
        let entry = message.entry
        batch.events.append(
            LogEvent(
                run: batch.run, seq: 0, kind: kind, did: entry.did, rev: rev, host: entry.host, time: entry.time, mark: mark, body: body))
    }

    private mutating func append(_ message: Message, _ record: VerifiedCommitParts.Record, rev: String, mark: String) {
        let entry = message.entry
        batch.events.append(
            LogEvent(
                run: batch.run, seq: 0, kind: .record, did: entry.did, rev: rev, collection: record.collection, rkey: record.rkey,
                action: record.action, cid: record.cid, host: entry.host, time: entry.time, mark: mark, body: record.body))
    }

    // MARK: Tracked repositories

    private func chain(of did: String) -> RepositoryChain { chains[did] ?? RepositoryChain(isTracked: tracking.isTracked) }

    /// A repository of which nothing is known comes into scope with a record of the signal collection.
    private mutating func isInScope(_ did: String, _ judgement: Judgement) -> Bool {
        guard outside.contains(did) else { return true }
        guard tracking.scope == .collection, case .commit(let parts) = judgement, parts.records.contains(where: { $0.collection == tracking.signal })
        else { return false }
        outside.remove(did)
        return true
    }

    /// A chain that waits for a snapshot from here on, or did before.
    private mutating func note(_ message: Message, _ chain: RepositoryChain, _ want: RepositoryChain.Want?) {
        let did = message.entry.did
        let before = chains[did]
        if before != chain { set(did, chain) }
        guard let want else { return }
        self.want(did, want)
        guard before?.status != chain.status else { return }
        append(message, .sync, TrackedEvents.state(chain.status, reason: want.text), rev: message.entry.rev)
    }

    private mutating func wantAfterReturn(_ message: Message) {
        let did = message.entry.did
        guard let chain = chains[did], chain.isTracked, chain.waitsForSnapshot, chain.reason == RepositoryChain.Break.reactivated.rawValue else {
            return
        }
        want(did, .broken(.reactivated))
    }

    private mutating func want(_ did: String, _ want: RepositoryChain.Want) { batch.tracked.wants[did] = want.text }

    private mutating func deliver(_ did: String, _ record: VerifiedCommitParts.Record) {
        let path = "\(record.collection)/\(record.rkey)"
        let change = TrackedChanges.Record(did: did, path: path, cid: record.action == .delete ? nil : CID(record.cid)?.binary)
        if let place = recordPlaces[did]?[path] {
            batch.tracked.records[place] = change
        } else {
            recordPlaces[did, default: [:]][path] = batch.tracked.records.count
            batch.tracked.records.append(change)
        }
    }

    private static func reason(_ text: String) -> [UInt8] {
        var json = JSONWriter(reserving: 48)
        json.beginObject()
        json.member("reason", text)
        json.endObject()
        return json.take()
    }

    static func state(_ did: String, _ chain: RepositoryChain) -> RepositoryState {
        RepositoryState(
            did: did, rev: chain.rev, data: chain.data, status: RepositoryState.Status(rawValue: chain.status.rawValue) ?? .active,
            reason: chain.reason, identityTime: chain.identityTime, accountTime: chain.accountTime)
    }
}

extension RepositoryChain {
    init(_ state: RepositoryState, isTracked: Bool) {
        self.init(
            rev: state.rev, data: state.data, status: Status(rawValue: state.status.rawValue) ?? .active, reason: state.reason,
            identityTime: state.identityTime, accountTime: state.accountTime, isTracked: isTracked)
    }
}
