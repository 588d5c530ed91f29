import ATProto
import Events

/// The accounts of the simulated network and everything that happens to them, made from a seed.
///
/// The same seed, configuration and start give the same DIDs, keys, records, revs and order of events; signatures of p256 keys, and so
/// the CIDs of their commits, differ from run to run, because that curve's library signs with chance.
public actor SimulatedNetwork {
    let configuration: SimulatorConfiguration
    let names: AccountNames
    let generator: RecordGenerator
    private let startMicroseconds: Int64
    var accounts: [SimulatedAccount]
    let indexOfDID: [String: Int]
    var draw: NetworkDraw
    var clock: NetworkClock
    /// Those that may come back by themselves.
    var inactive: [Int] = []
    private var forgeries = 0
    /// Archives that were wrong on purpose.
    var lies = 0
    /// Draws for what is asked for from outside, so that it does not shift the network's own.
    var asked: RandomStream

    /// Names the accounts; their keys and repositories are made when first needed, or by ``build(progress:)``.
    public init(configuration: SimulatorConfiguration, startMicroseconds: Int64) {
        let seed = configuration.seed
        self.configuration = configuration
        self.startMicroseconds = startMicroseconds
        let names = AccountNames(seed: seed)
        self.names = names
        generator = RecordGenerator(seed: seed, accounts: configuration.accounts, content: configuration.content)
        accounts = (0..<configuration.accounts).map { SimulatedAccount(index: $0, did: names.did($0), host: $0 % configuration.repositoryHosts) }
        indexOfDID = Dictionary(accounts.map { ($0.did, $0.index) }) { first, _ in first }
        draw = NetworkDraw(seed: seed, content: configuration.content, accounts: configuration.accounts)
        clock = NetworkClock(startMicroseconds: startMicroseconds, seed: seed)
        asked = RandomStream(seed: seed, "asked")
    }

    public var dids: [String] { accounts.map(\.did) }

    /// Makes keys and repositories of the busiest accounts, up to 2,000, but none of the huge ones; the others' follow when first needed, with the
    /// same content.
    public func build(progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws(SimulatorError) {
        let total = min(max(accounts.count - configuration.content.hugeRepositories, 0), 2_000)
        for index in 0..<total {
            try Self.making(index) { () throws(FormatError) in _ = try prepare(index) }
            if (index + 1) % 20 == 0 || index + 1 == total { progress(index + 1, total) }
        }
    }

    // MARK: What happens

    /// The next events, in order.
    func next(_ count: Int) throws(SimulatorError) -> [NetworkEvent] {
        var events: [NetworkEvent] = []
        events.reserveCapacity(count)
        while events.count < count {
            let event =
                switch draw.event() {
                case .identity: identityChange(draw.account())
                case .account: statusChange()
                case .sync: try syncOfActive()
                case .commit: try commitOfActive()
                }
            events.append(event)
        }
        return events
    }

    /// A commit that looks like an account's next one and is not; the account's own state stays.
    func forge(_ kind: FaultKind, relay: Int) throws(SimulatorError) -> NetworkEvent {
        let index = active(from: asked.below(accounts.count)) ?? 0
        return try Self.making(index) { () throws(FormatError) in
            var repository = try prepare(index)
            let now = clock.tick()
            // The year 2090: ahead of every clock that may read it.
            let revTime = kind == .futureRev ? 3_800_000_000_000_000 + now % 1_000_000_000 : now
            let rev = tid(microseconds: revTime, clockID: index)
            forgeries += 1
            let record = generator.record(.post, account: index, number: -forgeries, microseconds: now)
            let entry = SimulatedRepository.Entry(
                collection: .post, rkey: "forged\(forgeries)", number: -forgeries, microseconds: now, cid: CID(hashing: record))
            let stranger = try SigningKey(.k256, secret: names.keySeed(index, generation: 1_000_000 + forgeries))
            let key = kind == .badSignature ? stranger : try key(index)
            var message = try repository.commit(
                [SimulatedRepository.Write(action: .create, entry: entry, record: record)], did: accounts[index].did, rev: rev, key: key)
            if kind == .wrongPrevData { message.previousData = CID(hashing: asked.bytes(16)) }
            if kind == .wrongTree { message.operations[0].cid = CID(hashing: asked.bytes(16)) }
            return NetworkEvent(
                kind: .forged(kind, relay: relay), did: message.did, rev: rev, since: message.since, operations: message.operations,
                microseconds: now, body: MessageEncoder.commit(message), fault: kind)
        }
    }

    /// A repository that changes without a commit, and the `#sync` that says so.
    func diverge(_ chosen: Int? = nil) throws(SimulatorError) -> NetworkEvent {
        let index = chosen ?? active(from: asked.below(accounts.count)) ?? 0
        return try Self.making(index) { () throws(FormatError) in
            let message = try change(index)
            guard let repository = accounts[index].repository else { throw FormatError(.missingBlock, "no repository") }
            return NetworkEvent(
                kind: .sync, did: message.did, rev: message.rev, since: message.since, operations: message.operations,
                microseconds: clock.microseconds, body: MessageEncoder.sync(did: message.did, rev: message.rev, blocks: repository.headCAR),
                fault: .syncDivergence)
        }
    }

    /// Another key for an account, and the `#identity` that says so.
    func rotateKey(_ chosen: Int? = nil) -> NetworkEvent {
        let index = chosen ?? active(from: asked.below(accounts.count)) ?? 0
        accounts[index].keyGeneration += 1
        accounts[index].key = nil
        let did = accounts[index].did
        return NetworkEvent(
            kind: .identity(handle: nil), did: did, microseconds: clock.tick(), body: MessageEncoder.identity(did: did, handle: nil),
            fault: .rotateKey)
    }

    private func commitOfActive() throws(SimulatorError) -> NetworkEvent {
        guard let index = active(from: draw.account()) else { return statusChange() }
        return try Self.making(index) { () throws(FormatError) in
            let message = try change(index)
            return NetworkEvent(
                kind: .commit, did: message.did, rev: message.rev, since: message.since, operations: message.operations,
                microseconds: clock.microseconds, body: MessageEncoder.commit(message))
        }
    }

    private func syncOfActive() throws(SimulatorError) -> NetworkEvent {
        guard let index = active(from: draw.account()) else { return statusChange() }
        return try Self.making(index) { () throws(FormatError) in
            let repository = try prepare(index)
            let did = accounts[index].did
            return NetworkEvent(
                kind: .sync, did: did, rev: repository.rev, microseconds: clock.tick(),
                body: MessageEncoder.sync(did: did, rev: repository.rev, blocks: repository.headCAR))
        }
    }

    /// With a new handle, with the old one, or without any: all three are valid.
    private func identityChange(_ index: Int) -> NetworkEvent {
        let shape = draw.random.below(4)
        if shape < 2 { accounts[index].handleGeneration += 1 }
        let handle = shape == 3 ? nil : names.handle(index, generation: accounts[index].handleGeneration)
        let did = accounts[index].did
        return NetworkEvent(
            kind: .identity(handle: handle), did: did, microseconds: clock.tick(), body: MessageEncoder.identity(did: did, handle: handle))
    }

    /// An account goes or comes back; at most a tenth are gone at a time.
    private func statusChange() -> NetworkEvent {
        let index: Int
        let comesBack = !inactive.isEmpty && (draw.random.chance(0.5) || inactive.count * 10 >= accounts.count)
        if comesBack {
            let place = draw.random.below(inactive.count)
            index = inactive[place]
            inactive.remove(at: place)
            accounts[index].status = .active
        } else {
            index = active(from: draw.account()) ?? 0
            accounts[index].status = draw.inactiveStatus()
            inactive.append(index)
        }
        let account = accounts[index]
        return NetworkEvent(
            kind: .account(active: account.status.isActive, status: account.status.text), did: account.did, microseconds: clock.tick(),
            body: MessageEncoder.account(did: account.did, active: account.status.isActive, status: account.status.text))
    }

    /// The first active account from a place on, around the end.
    func active(from place: Int) -> Int? {
        for step in 0..<accounts.count {
            let index = (place + step) % accounts.count
            if accounts[index].status.isActive { return index }
        }
        return nil
    }

    // MARK: Accounts

    func change(_ index: Int) throws(FormatError) -> MessageEncoder.Commit {
        var repository = try prepare(index)
        let changes = writes(index, repository)
        let rev = tid(microseconds: clock.tick(), clockID: index)
        let key = try key(index)
        // Taken out while it changes, so that the tree is not copied.
        accounts[index].repository = nil
        let message = try repository.commit(changes, did: accounts[index].did, rev: rev, key: key)
        accounts[index].repository = repository
        return message
    }

    private func writes(_ index: Int, _ repository: SimulatedRepository) -> [SimulatedRepository.Write] {
        var result: [SimulatedRepository.Write] = []
        var touched: Set<Int> = []
        var bytes = 0
        var number = repository.writes
        for _ in 0..<draw.operationCount() where bytes < 1_000_000 {
            var action = draw.action()
            let chosen = draw.random.below(repository.entries.count)
            if repository.entries.isEmpty || !touched.insert(chosen).inserted { action = .create }
            if action == .delete {
                result.append(SimulatedRepository.Write(action: .delete, entry: repository.entries[chosen], place: chosen, record: []))
                continue
            }
            // An instant of its own for each write: rkeys never meet.
            let now = clock.tick()
            let collection = action == .update ? repository.entries[chosen].collection : RecordCollection.drawn(&draw.random)
            let record = generator.record(collection, account: index, number: number, microseconds: now)
            bytes += record.count
            let rkey = action == .update ? repository.entries[chosen].rkey : tid(microseconds: now, clockID: index)
            let entry = SimulatedRepository.Entry(
                collection: collection, rkey: rkey, number: number, microseconds: now, cid: CID(hashing: record))
            result.append(
                SimulatedRepository.Write(action: action, entry: entry, place: action == .update ? chosen : nil, record: record))
            number += 1
        }
        return result
    }

    func key(_ index: Int) throws(FormatError) -> SigningKey {
        if let key = accounts[index].key { return key }
        let generation = accounts[index].keyGeneration
        let key = try SigningKey(
            names.isK256(index, generation: generation) ? .k256 : .p256, secret: names.keySeed(index, generation: generation))
        accounts[index].key = key
        return key
    }

    /// The account's repository, made if need be.
    func prepare(_ index: Int) throws(FormatError) -> SimulatedRepository {
        if let repository = accounts[index].repository { return repository }
        let count = configuration.content.initialRecords(index, of: accounts.count)
        // An account's first records are older than the network's start, a minute or more, whoever needs them first.
        let entries = (0..<count).map { number in
            let time = startMicroseconds - 60_000_000 - Int64(count - number) * 3_600_000_000
            var random = RandomStream(seed: configuration.seed, "first", index, number)
            let collection = number == 0 ? .profile : RecordCollection.drawn(&random)
            let record = generator.record(collection, account: index, number: number, microseconds: time)
            return SimulatedRepository.Entry(
                collection: collection, rkey: number == 0 ? "self" : tid(microseconds: time, clockID: index), number: number,
                microseconds: time, cid: CID(hashing: record))
        }
        let rev = tid(microseconds: startMicroseconds - 60_000_000, clockID: index)
        let repository = try SimulatedRepository(did: accounts[index].did, entries: entries, rev: rev, key: try key(index))
        accounts[index].repository = repository
        return repository
    }

    /// What fails here is a defect of the simulator: nothing of it comes from outside.
    static func making<Value>(_ index: Int, _ body: () throws(FormatError) -> Value) throws(SimulatorError) -> Value {
        do {
            return try body()
        } catch {
            throw SimulatorError(code: .buildFailed, message: "cannot make a repository", entity: "account \(index)", cause: "\(error)")
        }
    }
}
