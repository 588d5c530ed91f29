import ATProto

/// What becomes of accounts by order.
extension SimulatedNetwork {
    /// Records of a commit with which a repository begins: one message carries no more than 200 operations and 2 MB.
    private static let beginningRecordsMax = 150
    private static let beginningBytesMax = 1_000_000

    func knows(_ did: String) -> Bool { indexOfDID[did] != nil }

    /// Carries out an order of the kind `network`; nil where there was no occasion for it.
    func carryOut(_ order: FaultOrder) throws(SimulatorError) -> NetworkChange? {
        switch order.kind {
        case .accountDeactivate: return turn(order, to: .deactivated)
        case .accountTakedown: return turn(order, to: .takendown)
        case .accountSuspend: return turn(order, to: .suspended)
        case .accountDelete: return turn(order, to: .deleted)
        case .accountReturn: return try comeBack(order)
        default: break
        }
        let forking = order.kind == .fork && order.did == nil ? accountWithHistory() : nil
        guard let index = forking ?? activeAccount(order.did) else { return nil }
        switch order.kind {
        case .syncDivergence: return NetworkChange(events: [try diverge(index)])
        case .rotateKey: return NetworkChange(events: [rotateKey(index)])
        case .migrate, .migrateGone: return try migrate(index, order)
        case .rebase: return try Self.making(index) { () throws(FormatError) in try rebase(index, order.kind, others: false) }
        case .rebaseOther: return try Self.making(index) { () throws(FormatError) in try rebase(index, order.kind, others: true) }
        case .fork: return try Self.making(index) { () throws(FormatError) in try fork(index, depth: order.depth) }
        case .write: return try Self.making(index) { () throws(FormatError) in try write(index) }
        default: return nil
        }
    }

    /// The account that is named, if it is active, or one that is drawn.
    private func activeAccount(_ did: String?) -> Int? {
        guard let did else { return active(from: asked.below(accounts.count)) }
        return indexOfDID[did].flatMap { accounts[$0].status.isActive ? $0 : nil }
    }

    /// One that is drawn of those that have commits to lose.
    private func accountWithHistory() -> Int? {
        let able = accounts.indices.filter { accounts[$0].status.isActive && accounts[$0].repository.map { $0.depth > 0 } ?? false }
        return able.isEmpty ? nil : able[asked.below(able.count)]
    }

    // MARK: Status

    private func turn(_ order: FaultOrder, to status: AccountStatus) -> NetworkChange? {
        guard let index = order.did == nil ? activeAccount(nil) : order.did.flatMap({ indexOfDID[$0] }) else { return nil }
        let before = accounts[index].status
        guard before != status, before != .deleted else { return nil }
        set(status, of: index)
        return NetworkChange(events: [accountEvent(index, order.kind)])
    }

    private func comeBack(_ order: FaultOrder) throws(SimulatorError) -> NetworkChange? {
        let gone = accounts.indices.filter { !accounts[$0].status.isActive }
        let index = order.did.map { indexOfDID[$0] } ?? (gone.isEmpty ? nil : gone[asked.below(gone.count)])
        guard let index, !accounts[index].status.isActive else { return nil }
        let wasDeleted = accounts[index].status == .deleted
        set(.active, of: index)
        guard wasDeleted else { return NetworkChange(events: [accountEvent(index, order.kind)]) }
        return try Self.making(index) { () throws(FormatError) in
            var change = NetworkChange(events: [rotateKey(index), accountEvent(index, order.kind)])
            change.events[0].fault = order.kind
            change.events += try rebase(index, order.kind, others: true).events
            return change
        }
    }

    private func set(_ status: AccountStatus, of index: Int) {
        accounts[index].status = status
        inactive.removeAll { $0 == index }
        // Who is deleted comes back by order only.
        if !status.isActive, status != .deleted { inactive.append(index) }
    }

    private func accountEvent(_ index: Int, _ fault: FaultKind) -> NetworkEvent {
        let (did, status) = (accounts[index].did, accounts[index].status)
        return NetworkEvent(
            kind: .account(active: status.isActive, status: status.text), did: did, microseconds: clock.tick(),
            body: MessageEncoder.account(did: did, active: status.isActive, status: status.text), fault: fault)
    }

    // MARK: Hosts

    /// As hosts do it: the repository is signed anew at the new host, the document changes, then the new host says `#account`, `#identity`, `#sync`.
    private func migrate(_ index: Int, _ order: FaultOrder) throws(SimulatorError) -> NetworkChange? {
        let old = accounts[index].host
        let others = (0..<configuration.repositoryHosts).filter { $0 != old }
        guard !others.isEmpty, order.host != old else { return nil }
        let host = order.host ?? others[asked.below(others.count)]
        return try Self.making(index) { () throws(FormatError) in
            var repository = try prepare(index)
            accounts[index].repository = nil
            accounts[index].host = host
            accounts[index].formerHosts[old] = order.kind == .migrateGone ? nil : .deactivated
            let did = accounts[index].did
            let account = accountEvent(index, order.kind)
            var identity = rotateKey(index)
            identity.fault = order.kind
            try repository.sign(did: did, rev: tid(microseconds: clock.tick(), clockID: index), key: try key(index))
            accounts[index].repository = repository
            let sync = NetworkEvent(
                kind: .sync, did: did, rev: repository.rev, microseconds: clock.tick(),
                body: MessageEncoder.sync(did: did, rev: repository.rev, blocks: repository.headCAR), fault: order.kind)
            return NetworkChange(events: [account, identity, sync])
        }
    }

    // MARK: Repositories

    private func rebase(_ index: Int, _ kind: FaultKind, others: Bool) throws(FormatError) -> NetworkChange {
        let before = try prepare(index)
        let count = min(max(before.entries.count, 1), Self.beginningRecordsMax)
        var bytes = 0
        var writes = before.writes
        var entries: [SimulatedRepository.Entry] = []
        for place in 0..<count where bytes < Self.beginningBytesMax {
            let entry = others || before.entries.isEmpty ? newEntry(index, number: writes) : before.entries[place]
            writes = max(writes, entry.number + 1)
            bytes += record(entry, index).count
            entries.append(entry)
        }
        let did = accounts[index].did
        let rev = tid(microseconds: clock.tick(), clockID: index)
        var repository = try SimulatedRepository(did: did, entries: entries, writes: writes, rev: rev, key: try key(index))
        // Hosts differ in what they say of the tree before the first: nothing, or the empty one.
        let previous = asked.chance(0.5) ? MerkleSearchTree.emptyRootCID : nil
        let message = repository.beginning(did: did, previousData: previous) { record($0, index) }
        accounts[index].repository = repository
        return NetworkChange(events: [commitEvent(message, fault: kind)])
    }

    private func newEntry(_ index: Int, number: Int) -> SimulatedRepository.Entry {
        let now = clock.tick()
        let collection = RecordCollection.drawn(&asked)
        let record = generator.record(collection, account: index, number: number, microseconds: now)
        return SimulatedRepository.Entry(
            collection: collection, rkey: tid(microseconds: now, clockID: index), number: number, microseconds: now, cid: CID(hashing: record))
    }

    private func record(_ entry: SimulatedRepository.Entry, _ index: Int) -> [UInt8] {
        generator.record(entry.collection, account: index, number: entry.number, microseconds: entry.microseconds)
    }

    private func fork(_ index: Int, depth: Int) throws(FormatError) -> NetworkChange? {
        let repository = try prepare(index)
        let did = accounts[index].did
        guard let earlier = try repository.rewound(by: depth, did: did, key: try key(index)) else { return nil }
        accounts[index].repository = earlier
        return NetworkChange(fork: NetworkFork(did: did, rev: earlier.rev, lost: repository.lastRevs(depth)))
    }

    private func write(_ index: Int) throws(FormatError) -> NetworkChange {
        // What is asked for does not shift what the network draws for itself.
        swap(&draw.random, &asked)
        defer { swap(&draw.random, &asked) }
        return NetworkChange(events: [commitEvent(try change(index), fault: nil)])
    }

    private func commitEvent(_ message: MessageEncoder.Commit, fault: FaultKind?) -> NetworkEvent {
        NetworkEvent(
            kind: .commit, did: message.did, rev: message.rev, since: message.since, operations: message.operations, microseconds: clock.microseconds,
            body: MessageEncoder.commit(message), fault: fault)
    }
}
