/// One block that was read as a node of a tree.
struct MSTBlock: Sendable {
    /// Its entries among those of its ``MSTBlocks``.
    var entries: Range<Int>
    /// Where the 36 bytes of the left child's CID lie in the buffer.
    var left: Int?
}

/// Blocks read as nodes, `{l, e: [{p, k, v, t}]}`, with all checks that one block allows. Keys and CIDs stay where they are: nothing of a block
/// is copied, so a commit's dozen nodes cost two allocations together.
///
/// Does not check what takes the tree (``MSTArena``): layers, the order over several nodes, who refers to whom.
struct MSTBlocks: Sendable {
    struct Entry: Sendable {
        /// How many bytes the key shares with that of the entry before, and where the rest of it lies in the buffer.
        var prefix: Int
        var suffix: Int
        var suffixCount: Int
        /// Where the key is to lie among the whole ones.
        var keyStart: Int
        /// Where the 36 bytes of the CIDs lie in the buffer.
        var value: Int
        var right: Int?
    }

    private(set) var entries: [Entry] = []
    private(set) var keyBytes = 0
    // The bytes of the last key: the next one has its prefix from there. Reads at `prefix` follow a comparison with the last key's length.
    private var key: [UInt8]

    /// - Parameter bytes: how many will be read about, of which an entry takes at least fifty.
    init(bytes: Int) {
        key = Array(repeating: 0, count: Limits.mstKeyBytes)
        entries.reserveCapacity(bytes / 80)
    }

    /// Adds a block. Throws `cbor` where it is not canonical, `mst` where it is no node (a prefix not as long as it can be or longer than the key
    /// before, keys out of order or not valid); then nothing is added.
    mutating func read(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>) throws(FormatError) -> MSTBlock {
        let (count, bytes) = (entries.count, keyBytes)
        do throws(FormatError) {
            var reader = CBORReader(buffer, range: range)
            guard try reader.mapCount() == 2 else { throw FormatError(.mst, "a node has two fields", offset: range.lowerBound) }
            guard try reader.skipKey("e") else { throw FormatError(.mst, "a node without e", offset: range.lowerBound) }
            var last = Last()
            for _ in 0..<(try reader.arrayCount()) { try readEntry(&reader, &last) }
            guard try reader.skipKey("l") else { throw FormatError(.mst, "a node without l", offset: range.lowerBound) }
            let left = try reader.linkPlaceOrNull()
            guard reader.isAtEnd else { throw FormatError(.mst, "bytes after the node", offset: reader.offset) }
            return MSTBlock(entries: count..<entries.count, left: left)
        } catch {
            entries.removeSubrange(count...)
            keyBytes = bytes
            throw error
        }
    }

    /// Reads a block that stands alone, and gives its entries in the place of `entries`: a walk uses the same memory for each node.
    mutating func read(_ block: UnsafeRawBufferPointer, into entries: inout [Entry]) throws(FormatError) -> MSTBlock {
        self.entries.removeAll(keepingCapacity: true)
        keyBytes = 0
        let block = try read(block, 0..<block.count)
        swap(&self.entries, &entries)
        return block
    }

    /// What is known of the key before.
    private struct Last {
        var count = 0
        /// Of its only slash.
        var slash: Int?
    }

    @inline(__always)
    private mutating func readEntry(_ reader: inout CBORReader, _ last: inout Last) throws(FormatError) {
        let start = reader.offset
        guard try reader.mapCount() == 4 else { throw FormatError(.mst, "an entry has four fields", offset: start) }
        guard try reader.skipKey("k") else { throw Self.otherField(start) }
        let suffix = try reader.byteString()
        guard try reader.skipKey("p") else { throw Self.otherField(start) }
        let wide = try reader.integer()
        guard try reader.skipKey("t") else { throw Self.otherField(start) }
        let right = try reader.linkPlaceOrNull()
        guard try reader.skipKey("v") else { throw Self.otherField(start) }
        let value = try reader.linkPlace()
        guard wide >= 0, wide <= last.count, suffix.count + Int(wide) <= Limits.mstKeyBytes, !suffix.isEmpty else {
            throw FormatError(.mst, "a prefix or key of impossible length", offset: start)
        }
        // The two keys share the prefix, so the byte after it decides about their order, and about the prefix being as long as it can be.
        let prefix = Int(wide)
        if prefix < last.count, reader.buffer[suffix.lowerBound] <= key[prefix] {
            throw FormatError(.mst, "keys that are not in order, or a prefix that is not as long as it can be", offset: start)
        }
        let rest = reader.bytes(suffix)
        guard let slash = MSTKey.slash(of: rest, after: prefix, slash: last.slash) else {
            throw FormatError(.mst, "a key that is not valid", offset: start)
        }
        key.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[prefix...]).copyMemory(from: rest) }
        last = Last(count: prefix + suffix.count, slash: slash)
        entries.append(
            Entry(prefix: prefix, suffix: suffix.lowerBound, suffixCount: suffix.count, keyStart: keyBytes, value: value, right: right))
        keyBytes += last.count
    }

    @inline(never)
    private static func otherField(_ start: Int) -> FormatError { FormatError(.mst, "an entry without one of k, p, t, v", offset: start) }

    /// All keys, whole, one after the other; `buffer` is the one that was read.
    func keys(in buffer: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: keyBytes) { memory, count in
            guard let base = memory.baseAddress, let source = buffer.baseAddress else { return }
            let target = UnsafeMutableRawPointer(base)
            var previous = 0
            // The entries say how long each key is, and `keyBytes` is the sum of these lengths.
            for entry in entries {
                (target + entry.keyStart).copyMemory(from: target + previous, byteCount: entry.prefix)
                (target + entry.keyStart + entry.prefix).copyMemory(from: source + entry.suffix, byteCount: entry.suffixCount)
                previous = entry.keyStart
            }
            count = keyBytes
        }
    }
}

extension MSTNode {
    /// The node that a block was read as; `keys` are those of `blocks`, whole. Children are stubs.
    init(_ block: MSTBlock, of blocks: MSTBlocks, keys: [UInt8], in buffer: UnsafeRawBufferPointer, cid: CID, layer: Int) {
        self.init(layer: layer, left: Self.child(block.left, in: buffer), cid: cid)
        entries.reserveCapacity(block.entries.count)
        for entry in blocks.entries[block.entries] {
            // The reader has seen a CID at each of these places.
            guard let value = CID(loading: buffer, at: entry.value) else { continue }
            let key = MSTEntryKey(keys, entry.keyStart..<(entry.keyStart + entry.prefix + entry.suffixCount))
            entries.append(MSTEntry(key: key, value: value, right: Self.child(entry.right, in: buffer)))
        }
    }

    /// Reads one block by itself; throws as ``MSTBlocks/read(_:_:)``.
    init(block buffer: UnsafeRawBufferPointer, range: Range<Int>, cid: CID, layer: Int) throws(FormatError) {
        var blocks = MSTBlocks(bytes: range.count)
        let block = try blocks.read(buffer, range)
        self.init(block, of: blocks, keys: blocks.keys(in: buffer), in: buffer, cid: cid, layer: layer)
    }

    private static func child(_ place: Int?, in buffer: UnsafeRawBufferPointer) -> MSTChild {
        guard let place, let cid = CID(loading: buffer, at: place) else { return .none }
        return .stub(cid)
    }
}
