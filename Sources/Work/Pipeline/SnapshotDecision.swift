internal import ATProto
internal import Events
internal import Flow
internal import Ledger

/// What entries of a shard's backfill stream change: log events, what counts as delivered, repositories, attempts and their jobs. Taken in their order.
///
/// Each range of keys is compared with what was delivered in it: what is new is created, what differs updated, what is not there any more deleted. So
/// whatever was delivered by attempts that broke off, or live, the end is what the snapshot holds. No I/O and no clock: the caller reads the ranges that
/// ``ranges(for:)`` names. A range may hold more than was read; the entry is then taken up to there, and comes again.
struct SnapshotDecision {
    private(set) var batch: ShardBatch
    private(set) var chains: [String: RepositoryChain]
    private(set) var changed: Set<String> = []
    /// DIDs whose held messages are to be looked at, and those whose are worth nothing.
    private(set) var woken: [String] = []
    private(set) var heldDropped: [String] = []
    /// Snapshots that were applied to their end.
    private(set) var applied = 0
    private var progress: [String: SnapshotProgress]
    private var touched: Set<String> = []
    private var gone: Set<String> = []
    private let tracking: TrackingConfiguration
    private let holds: HoldTable
    private let attempts: [String: Int64]

    /// - Parameter attempts: the attempts that count, by DID (`Ledger.currentAttempts`). Another one begins nothing: its fetcher was given up.
    init(
        batch: ShardBatch, chains: [String: RepositoryChain], progress: [String: SnapshotProgress], holds: HoldTable, attempts: [String: Int64],
        tracking: TrackingConfiguration
    ) {
        self.attempts = attempts
        self.holds = holds
        self.batch = batch
        self.chains = chains
        self.progress = progress
        self.tracking = tracking
    }

    /// How many of the entries one batch may take: a second attempt at a repository is compared with what the first one left.
    static func prefix(_ entries: [SnapshotEntry]) -> Int {
        var attempts: [String: Int64] = [:]
        for (place, entry) in entries.enumerated() {
            if let attempt = attempts.updateValue(entry.attempt, forKey: entry.did), attempt != entry.attempt { return place }
        }
        return entries.count
    }

    /// The ranges of delivered records that the entries need, by their places; none for an entry of which nothing can have been delivered, or that
    /// is void.
    func ranges(for entries: [SnapshotEntry]) -> [Int: Ledger.KeyRange] {
        var ranges: [Int: Ledger.KeyRange] = [:]
        var lastKeys: [String: (attempt: Int64, key: String, isFresh: Bool)] = [:]
        for (did, known) in progress { lastKeys[did] = (known.attempt, known.lastKey, false) }
        for (place, entry) in entries.enumerated() {
            let did = entry.did
            switch entry.kind {
            case .absent: continue
            case .open, .whole:
                if let known = lastKeys[did], known.attempt == entry.attempt {
                    if entry.kind == .whole { ranges[place] = Ledger.KeyRange(did: did, after: known.key, through: "") }
                    continue
                }
                let chain = chain(of: did)
                let isFresh = lastKeys[did] == nil && chain.rev.isEmpty && (chain.isUnknown || chain.status == .pending)
                lastKeys[did] = (entry.attempt, "", isFresh)
                if entry.kind == .whole, !isFresh { ranges[place] = Ledger.KeyRange(did: did, after: "", through: "") }
            case .records, .close:
                guard let known = lastKeys[did], known.attempt == entry.attempt else { continue }
                if !known.isFresh { ranges[place] = Ledger.KeyRange(did: did, after: known.key, through: entry.through) }
                if !entry.through.isEmpty { lastKeys[did]?.key = entry.through }
            }
        }
        return ranges
    }

    /// Takes an entry. False: what was delivered in its range is more than was read; commit, and bring the entry again.
    ///
    /// - Parameters:
    ///   - delivered: of its range, in order of keys.
    ///   - isAll: whether that is all of the range.
    mutating func take(_ entry: SnapshotEntry, delivered: [Ledger.DeliveredRecord], isAll: Bool) -> Bool {
        switch entry.kind {
        case .absent: absent(entry)
        case .open: _ = open(entry)
        case .whole:
            let goesOn = progress[entry.did].map { $0.attempt == entry.attempt && $0.isOpen && $0.nextN == 0 } ?? false
            guard goesOn || open(entry) else { return true }
            guard entry.count == Int64(entry.records.count) else {
                breakOff(entry, "\(entry.count) records were sent, \(entry.records.count) came")
                return true
            }
            return compare(entry, delivered, isAll: isAll)
        case .records, .close:
            guard let known = progress[entry.did], isApplied(entry.did) else { return true }
            switch known.step(entry) {
            case .void: return true
            case .broken(let why): breakOff(entry, why)
            case .compare: return compare(entry, delivered, isAll: isAll)
            }
        }
        return true
    }

    /// Only what stands up to `offset` is resolved; nil: nothing.
    mutating func stop(before offset: EntryID?) { batch.tracked.offset = offset }

    /// The batch with everything of it.
    func finished() -> ShardBatch {
        var result = batch
        result.repositories = changed.sorted().compactMap { did in chains[did].map { BatchDecision.state(did, $0) } }
        result.tracked.heldDropped = heldDropped
        result.tracked.snapshotsDropped = gone.sorted()
        for did in touched.subtracting(gone).sorted() {
            guard let known = progress[did] else { continue }
            result.tracked.snapshots.append(
                TrackedChanges.Snapshot(
                    did: did, attempt: known.attempt, isOpen: known.isOpen, nextN: known.nextN, lastKey: known.lastKey, count: known.count,
                    rev: known.snapshot.rev, data: known.snapshot.data, host: known.host))
            if known.isOpen { result.tracked.renewed[did] = known.attempt }
        }
        return result
    }

    // MARK: Entries

    private func chain(of did: String) -> RepositoryChain { chains[did] ?? RepositoryChain(isTracked: true) }

    private func isApplied(_ did: String) -> Bool { [.backfilling, .resyncing].contains(chain(of: did).status) }

    /// True where what follows is to be compared.
    private mutating func open(_ entry: SnapshotEntry) -> Bool {
        let did = entry.did
        guard attempts[did] == entry.attempt else { return false }
        if let known = progress[did], known.attempt >= entry.attempt { return false }
        var chain = chain(of: did)
        let snapshot = RepositoryChain.Snapshot(rev: entry.rev, data: entry.data, isFork: entry.isFork)
        let delivered = chain.rev
        switch chain.open(snapshot) {
        case .unwanted:
            end(entry, .refused, "the repository is \(chain.status.rawValue)")
            return false
        case .stale:
            end(entry, .retry, "the snapshot is of revision \(entry.rev), \(delivered) was delivered", retryAfter: .seconds(5))
            return false
        case .apply:
            set(did, chain)
            let isWhole = entry.kind == .whole
            put(did, SnapshotProgress(attempt: entry.attempt, nextN: isWhole ? 0 : 1, snapshot: snapshot, host: entry.host))
            if !isWhole { tell(entry, TrackedEvents.state(chain.status, reason: chain.reason)) }
            return true
        }
    }

    private mutating func absent(_ entry: SnapshotEntry) {
        let did = entry.did
        guard attempts[did] == entry.attempt else { return }
        var chain = chain(of: did)
        if chain.absent(entry.reason) {
            set(did, chain)
            tell(entry, TrackedEvents.state(chain.status, reason: entry.reason))
            // What is held may be older than the host's word, or newer: it is asked once more.
            if holds.holds(did) {
                heldDropped.append(did)
                batch.tracked.wants[did] = RepositoryChain.Want.returned.text
            }
        }
        end(entry, .refused, entry.reason)
    }

    /// Compares the entry's keys with what was delivered, as far as that was read; true where that was all.
    private mutating func compare(_ entry: SnapshotEntry, _ delivered: [Ledger.DeliveredRecord], isAll: Bool) -> Bool {
        guard var known = progress[entry.did] else { return true }
        // Up to here the comparison is complete.
        let limit = isAll ? nil : delivered.last?.path
        let wanted = entry.records.filter { record in record.path > known.lastKey && (limit.map { record.path <= $0 } ?? true) }
        merge(entry, rev: known.snapshot.rev, wanted, delivered)
        if let limit {
            known.applied(through: limit)
            put(entry.did, known)
            return false
        }
        known.took(entry)
        put(entry.did, known)
        if entry.kind == .close || entry.kind == .whole { finish(entry, known) }
        return true
    }

    private mutating func finish(_ entry: SnapshotEntry, _ known: SnapshotProgress) {
        let did = entry.did
        var chain = chain(of: did)
        chain.close(known.snapshot)
        set(did, chain)
        tell(entry, TrackedEvents.state(chain.status, reason: known.snapshot.isFork ? "fork" : "", records: known.count))
        end(entry, .done)
        progress[did] = nil
        gone.insert(did)
        woken.append(did)
        applied += 1
    }

    private mutating func breakOff(_ entry: SnapshotEntry, _ why: String) {
        let did = entry.did
        var chain = chain(of: did)
        chain.breakOff()
        set(did, chain)
        progress[did]?.breakOff()
        touched.insert(did)
        end(entry, .retry, why)
    }

    // MARK: Changes

    private mutating func merge(_ entry: SnapshotEntry, rev: String, _ wanted: [SnapshotRecord], _ delivered: [Ledger.DeliveredRecord]) {
        var old = delivered[...]
        for record in wanted where tracking.delivers(record.collection) {
            while let first = old.first, first.path < record.path { delete(entry, rev: rev, old.removeFirst().path) }
            // A text that is no CID was not written by a fetcher of Weir's: the record is left as it was.
            guard let cid = CID(record.cid)?.binary else { continue }
            if let first = old.first, first.path == record.path {
                old.removeFirst()
                if first.cid != cid { change(entry, rev: rev, record, .update, cid) }
            } else {
                change(entry, rev: rev, record, .create, cid)
            }
        }
        for record in old { delete(entry, rev: rev, record.path) }
    }

    private mutating func change(
        _ entry: SnapshotEntry, rev: String, _ record: SnapshotRecord, _ action: LogEvent.Action, _ cid: [UInt8]
    ) {
        batch.events.append(
            LogEvent(
                run: batch.run, seq: 0, kind: .record, did: entry.did, rev: rev, collection: record.collection, rkey: record.rkey,
                action: action, cid: record.cid, live: false, host: entry.host, body: record.body))
        batch.tracked.records.append(TrackedChanges.Record(did: entry.did, path: record.path, cid: cid))
    }

    private mutating func delete(_ entry: SnapshotEntry, rev: String, _ path: String) {
        let record = SnapshotRecord(path: path, cid: "", body: [])
        batch.events.append(
            LogEvent(
                run: batch.run, seq: 0, kind: .record, did: entry.did, rev: rev, collection: record.collection, rkey: record.rkey,
                action: .delete, live: false, host: entry.host))
        batch.tracked.records.append(TrackedChanges.Record(did: entry.did, path: path, cid: nil))
    }

    private mutating func tell(_ entry: SnapshotEntry, _ body: [UInt8]) {
        batch.events.append(
            LogEvent(run: batch.run, seq: 0, kind: .sync, did: entry.did, rev: entry.rev, live: false, host: entry.host, body: body))
    }

    private mutating func end(
        _ entry: SnapshotEntry, _ outcome: TrackedChanges.Ending.Outcome, _ error: String = "", retryAfter: Duration = .zero
    ) {
        // A second end in the batch is of a newer attempt.
        batch.tracked.ended.removeAll { $0.did == entry.did }
        batch.tracked.ended.append(
            TrackedChanges.Ending(did: entry.did, attempt: entry.attempt, outcome: outcome, error: error, retryAfter: retryAfter))
    }

    private mutating func put(_ did: String, _ known: SnapshotProgress) {
        progress[did] = known
        touched.insert(did)
        gone.remove(did)
    }

    private mutating func set(_ did: String, _ chain: RepositoryChain) {
        chains[did] = chain
        changed.insert(did)
    }
}

extension SnapshotProgress {
    init(_ row: TrackedChanges.Snapshot) {
        self.init(
            attempt: row.attempt, isOpen: row.isOpen, nextN: row.nextN, lastKey: row.lastKey, count: row.count,
            snapshot: RepositoryChain.Snapshot(rev: row.rev, data: row.data, isFork: false), host: row.host)
    }
}
