import ATProto

/// One account's repository: its tree, its head, and what is needed to make each record again.
struct SimulatedRepository: Sendable {
    /// A record as the generator makes it; the bytes are not kept.
    struct Entry: Hashable, Sendable {
        var collection: RecordCollection
        var rkey: String
        /// Which of the account's writes made it.
        var number: Int
        var microseconds: Int64
        var cid: CID

        var path: String { "\(collection.rawValue)/\(rkey)" }
    }

    /// A change that is wanted.
    struct Write: Sendable {
        var action: RepositoryOperation.Action
        /// After the change; at a delete what goes.
        var entry: Entry
        /// The place among ``entries`` of what is updated or deleted.
        var place: Int?
        /// The new record; empty at a delete.
        var record: [UInt8]
    }

    /// What a commit replaced: enough to go back behind it.
    private struct Past: Sendable {
        var rev: String
        var data: CID
        var head: Block
        /// The paths that it changed, with what stood there before; nil where nothing did.
        var changes: [(path: String, before: Entry?)]
    }

    /// Commits that can be undone.
    static let historyMax = 16

    private(set) var tree: MerkleSearchTree
    /// The tree's root.
    private(set) var data: CID
    private(set) var entries: [Entry]
    /// Writes so far, over the account's life.
    private(set) var writes: Int
    private(set) var rev: String
    /// The signed commit.
    private(set) var head: Block
    /// The newest last.
    private var history: [Past] = []

    /// How many commits can be undone now.
    var depth: Int { history.count }

    /// The revs of the last commits, the oldest first.
    func lastRevs(_ count: Int) -> [String] { (history.map(\.rev) + [rev]).suffix(min(count, history.count)) }

    /// A repository that begins with these records.
    ///
    /// - Parameter writes: of the account so far, where there were others than these.
    init(did: String, entries: [Entry], writes: Int? = nil, rev: String, key: SigningKey) throws(FormatError) {
        self.entries = entries
        self.writes = writes ?? entries.count
        self.rev = rev
        tree = MerkleSearchTree()
        for entry in entries { try tree.insert(entry.path, entry.cid) }
        data = tree.rootCID()
        tree.mark()
        head = try CommitBlock.signed(did: did, rev: rev, data: data, with: key).block
    }

    /// Applies writes and signs the result; returns the message's parts. Each path stands once among the writes.
    mutating func commit(_ changes: [Write], did: String, rev newRev: String, key: SigningKey) throws(FormatError) -> MessageEncoder.Commit {
        let previousData = data
        let since = rev
        var operations: [RepositoryOperation] = []
        for change in changes {
            let previous = change.place.map { entries[$0].cid }
            operations.append(
                RepositoryOperation(
                    action: change.action, collection: change.entry.collection.rawValue, rkey: change.entry.rkey,
                    cid: change.action == .delete ? nil : change.entry.cid, previous: previous))
        }
        remember(changes)
        let nodes = try apply(operations)
        update(changes)
        rev = newRev
        head = try CommitBlock.signed(did: did, rev: newRev, data: data, with: key).block

        var car = CARWriter(roots: [head.cid], capacity: 4096 + changes.reduce(0) { $0 + $1.record.count })
        car.append(head)
        for node in nodes { car.append(node) }
        for change in changes where change.action != .delete { car.append(change.entry.cid, change.record) }
        return MessageEncoder.Commit(
            did: did, rev: newRev, since: since, commit: head.cid, previousData: previousData, operations: operations, blocks: car.bytes)
    }

    /// Signs what there is under a new rev, as the host does to which an account moves.
    mutating func sign(did: String, rev newRev: String, key: SigningKey) throws(FormatError) {
        remember([])
        rev = newRev
        head = try CommitBlock.signed(did: did, rev: newRev, data: data, with: key).block
    }

    /// The message of a commit with which a repository begins: it creates all that is in it. `record` makes a record again.
    mutating func beginning(did: String, previousData: CID?, record: (Entry) -> [UInt8]) -> MessageEncoder.Commit {
        var car = CARWriter(roots: [head.cid], capacity: 4096 + entries.count * 1_024)
        car.append(head)
        for node in tree.allBlocks() { car.append(node) }
        for entry in entries { car.append(entry.cid, record(entry)) }
        let operations = entries.map { RepositoryOperation(action: .create, collection: $0.collection.rawValue, rkey: $0.rkey, cid: $0.cid) }
        return MessageEncoder.Commit(
            did: did, rev: rev, since: nil, commit: head.cid, previousData: previousData, operations: operations, blocks: car.bytes)
    }

    /// The commit block alone, as `#sync` carries it.
    var headCAR: [UInt8] { CARWriter.encode(roots: [head.cid], blocks: [head]) }

    /// The repository as it was some commits ago, under the commit of then; fewer where it has not so many behind it, nil where it has none.
    ///
    /// What is written later has numbers of its own all the same. A commit that the key did not sign, since there was another one, is signed anew.
    func rewound(by count: Int, did: String, key: SigningKey) throws(FormatError) -> SimulatedRepository? {
        guard !history.isEmpty else { return nil }
        var earlier = self
        for _ in 0..<count {
            guard let past = earlier.history.popLast() else { break }
            for change in past.changes.reversed() { try earlier.put(change.before, at: change.path) }
            (earlier.rev, earlier.data, earlier.head) = (past.rev, past.data, past.head)
        }
        guard earlier.tree.rootCID() == earlier.data else { throw FormatError(.mst, "undoing commits gives another tree") }
        earlier.tree.mark()
        if try !CommitBlock(earlier.head.bytes, range: 0..<earlier.head.bytes.count).isSigned(by: key.verificationKey) {
            earlier.head = try CommitBlock.signed(did: did, rev: earlier.rev, data: earlier.data, with: key).block
        }
        return earlier
    }

    private mutating func put(_ entry: Entry?, at path: String) throws(FormatError) {
        let place = entries.firstIndex { $0.path == path }
        switch (entry, place) {
        case (.some(let entry), .some(let place)):
            try tree.update(path, entry.cid)
            entries[place] = entry
        case (.some(let entry), .none):
            try tree.insert(path, entry.cid)
            entries.append(entry)
        case (.none, .some(let place)):
            try tree.delete(path)
            entries.swapAt(place, entries.count - 1)
            entries.removeLast()
        case (.none, .none): break
        }
    }

    private mutating func remember(_ changes: [Write]) {
        if history.count == Self.historyMax { history.removeFirst() }
        history.append(
            Past(rev: rev, data: data, head: head, changes: changes.map { change in (change.entry.path, change.place.map { entries[$0] }) }))
    }

    /// Changes the tree; returns its new nodes and those that undoing the changes needs.
    private mutating func apply(_ operations: [RepositoryOperation]) throws(FormatError) -> [Block] {
        tree.mark()
        for operation in operations {
            switch (operation.action, operation.cid) {
            case (.create, .some(let cid)): try tree.insert(operation.path, cid)
            case (.update, .some(let cid)): try tree.update(operation.path, cid)
            default: try tree.delete(operation.path)
            }
        }
        data = tree.rootCID()
        return tree.commitBlocks(for: operations.map(\.path))
    }

    private mutating func update(_ changes: [Write]) {
        var gone: [Int] = []
        for change in changes {
            if change.action != .delete { writes += 1 }
            switch (change.action, change.place) {
            case (.create, _): entries.append(change.entry)
            case (.update, .some(let place)): entries[place] = change.entry
            case (.delete, .some(let place)): gone.append(place)
            default: break
            }
        }
        for place in gone.sorted(by: >) {
            entries.swapAt(place, entries.count - 1)
            entries.removeLast()
        }
    }
}
