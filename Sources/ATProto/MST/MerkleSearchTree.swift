/// A whole Merkle search tree in memory, for repositories of many thousands of keys: what a host (or the simulator) keeps of a repository.
///
/// A value: a copy is independent. A change costs the path to its key; ``rootCID()`` hashes what has changed since it was last called.
/// Memory is about 200 bytes a key. Source: the repository specification, MST structure.
public struct MerkleSearchTree: Sendable {
    private(set) var arena = MSTArena()
    /// The number of keys.
    public private(set) var count = 0

    public init() {}

    /// The root's address of a tree without keys.
    public static var emptyRootCID: CID { MSTArena.emptyRoot }

    /// Reads a whole tree; throws `missingBlock` where a node is not there, `mst` or `cbor` where one is none.
    public init(root: CID, blocks: BlockIndex) throws(FormatError) {
        arena = try MSTArena(root: root, blocks: blocks, partial: false)
        var count = 0
        arena.forEach { _, _ in count += 1 }
        self.count = count
    }

    public var isEmpty: Bool { count == 0 }

    /// The value of a key, nil where it is not in the tree.
    public subscript(key: String) -> CID? {
        // A whole tree has no node that could be missing.
        (try? arena.value(of: MSTEntryKey(key))) ?? nil
    }

    /// Puts a key in that is not there; throws `mst` where it is, or where the key is not valid.
    public mutating func insert(_ key: String, _ value: CID) throws(FormatError) {
        let bytes = try valid(key)
        guard try arena.value(of: bytes) == nil else { throw FormatError(.mst, "the key is in the tree") }
        _ = try arena.set(bytes, to: value)
        count += 1
    }

    /// Gives a key that is there another value, and returns the one before; throws `mst` where it is not there.
    @discardableResult
    public mutating func update(_ key: String, _ value: CID) throws(FormatError) -> CID {
        let bytes = try valid(key)
        guard try arena.value(of: bytes) != nil, let before = try arena.set(bytes, to: value) else {
            throw FormatError(.mst, "the key is not in the tree")
        }
        return before
    }

    /// Takes a key out and returns its value; throws `mst` where it is not there.
    @discardableResult
    public mutating func delete(_ key: String) throws(FormatError) -> CID {
        guard let before = try arena.remove(try valid(key)) else { throw FormatError(.mst, "the key is not in the tree") }
        count -= 1
        return before
    }

    private func valid(_ key: String) throws(FormatError) -> MSTEntryKey {
        let bytes = Array(key.utf8)
        guard MSTKey.isValid(bytes) else { throw FormatError(.mst, "a key that is not valid") }
        return MSTEntryKey(bytes)
    }

    /// The root's address.
    public mutating func rootCID() -> CID { arena.rootCID() }

    /// All nodes, parents first.
    public mutating func allBlocks() -> [Block] { arena.blocks(onlyNew: false) }

    /// Sets the mark that ``diff()`` and ``commitBlocks(for:)`` count from; once per commit, before its changes.
    public mutating func mark() { arena.mark() }

    /// The nodes that are new since the mark, parents first; the empty root where the tree is empty.
    public mutating func diff() -> [Block] { arena.blocks(onlyNew: true) }

    /// The nodes that a consumer needs to undo changes of these keys: those on the paths to each key and to its neighbours.
    public mutating func proofBlocks(for keys: some Sequence<String>) -> [Block] {
        _ = rootCID()
        var indices: Set<Int> = []
        for key in keys { arena.coveringNodes(of: MSTEntryKey(key), into: &indices) }
        return arena.blocks(at: indices)
    }

    /// What belongs into the CAR of a commit that changed these keys since the mark: the new nodes, then those of the proof, each once.
    public mutating func commitBlocks(for keys: some Sequence<String>) -> [Block] {
        var blocks = diff()
        var seen = Set(blocks.map(\.cid))
        for block in proofBlocks(for: keys) where seen.insert(block.cid).inserted { blocks.append(block) }
        return blocks
    }

    /// Visits all pairs in order of keys.
    public func forEach(_ visit: (_ key: String, _ value: CID) -> Void) {
        arena.forEach { key, value in visit(key.text, value) }
    }

    /// All pairs in order of keys.
    public var entries: [(key: String, value: CID)] {
        var entries: [(key: String, value: CID)] = []
        entries.reserveCapacity(count)
        forEach { entries.append(($0, $1)) }
        return entries
    }
}
