import ATProto

/// A repository's CAR, made while it is read: records are made again one by one, so a repository of any size needs little memory.
///
/// It is the repository as it was when the archive was begun, whatever happens to the account meanwhile.
struct RepositoryArchive: Sendable {
    /// What a section holds.
    enum Step: Hashable, Sendable {
        case commit
        /// A node, by its place in the tree.
        case node(Int)
        /// A record, by its place among the repository's entries.
        case record(Int)
    }

    private static let partBytes = 64 << 10

    let repository: SimulatedRepository
    let steps: [Step]
    let tree: TreePreorder
    private let account: Int
    private let generator: RecordGenerator
    private var lie: ArchiveLie?
    private var writer: CARWriter
    private var next = 0

    init(_ repository: SimulatedRepository, account: Int, order: ArchiveOrder, generator: RecordGenerator) {
        self.repository = repository
        self.account = account
        self.generator = generator
        tree = TreePreorder(repository.tree)
        steps = Self.steps(repository, tree, order, seed: generator.seed, account: account)
        writer = CARWriter(roots: [repository.head.cid], capacity: min(4_096 + repository.entries.count * 1_024, Self.partBytes + 16_384))
    }

    /// Makes the archive wrong; before its first part only.
    mutating func tell(_ lie: ArchiveLie) {
        self.lie = lie
        if let head = lie.head { writer = CARWriter(roots: [head.cid]) }
    }

    /// The next part, about 64 KB; nil after the last.
    mutating func part() -> [UInt8]? {
        while !isAtEnd, writer.bytes.count < Self.partBytes {
            if let inserted = lie?.inserted, inserted.place == next { writer.append(raw: inserted.bytes) }
            if next < steps.count { write(steps[next]) }
            next += 1
        }
        if writer.bytes.isEmpty { return nil }
        return writer.takeBytes(reserving: isAtEnd ? 0 : Self.partBytes + 16_384)
    }

    /// True when nothing is left but what ``part()`` has given.
    var isAtEnd: Bool { next >= (lie?.end ?? steps.count) + (lie?.inserted == nil ? 0 : 1) }

    /// Those that hold nodes, the root first.
    var nodeSteps: [Step] {
        tree.stops.compactMap { if case .node(let place) = $0 { .node(place) } else { nil } }
    }

    private mutating func write(_ step: Step) {
        if step == lie?.omitted { return }
        guard var block = block(step) else { return }
        if step == lie?.spoiled, let last = block.bytes.popLast() { block.bytes.append(last ^ 1) }
        writer.append(block)
    }

    private func block(_ step: Step) -> Block? {
        switch step {
        case .commit: return lie?.head ?? repository.head
        case .node(let place):
            let block = tree.block(place)
            if let root = lie?.root, block?.cid == repository.data { return root }
            return block
        case .record(let place):
            let entry = repository.entries[place]
            let bytes = generator.record(entry.collection, account: account, number: entry.number, microseconds: entry.microseconds)
            return Block(cid: entry.cid, bytes: bytes)
        }
    }

    private static func steps(
        _ repository: SimulatedRepository, _ tree: TreePreorder, _ order: ArchiveOrder, seed: UInt64, account: Int
    ) -> [Step] {
        var steps: [Step] = [.commit]
        steps.reserveCapacity(tree.stops.count + 1)
        if order == .tree {
            var places: [CID: Int] = [:]
            places.reserveCapacity(repository.entries.count)
            for (place, entry) in repository.entries.enumerated() { places[entry.cid] = place }
            for stop in tree.stops {
                switch stop {
                case .node(let node): steps.append(.node(node))
                case .value(let cid): if let place = places[cid] { steps.append(.record(place)) }
                }
            }
            return steps
        }
        for case .node(let node) in tree.stops { steps.append(.node(node)) }
        for place in repository.entries.indices { steps.append(.record(place)) }
        if order == .shuffled {
            var random = RandomStream(seed: seed, "archive", account)
            steps.shuffle(using: &random)
        }
        return steps
    }
}
