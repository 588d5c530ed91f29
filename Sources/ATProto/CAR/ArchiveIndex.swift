/// Where the blocks of a large archive lie, by their addresses, in 17 bytes a block.
///
/// Of an address the index keeps the first eight bytes; the whole one is compared where the block lies, since its CID stands in front of it
/// (``BlockSource``). Of a block that repeats the first place counts. A ``Builder`` makes it.
public struct ArchiveIndex: Sendable {
    /// Where a block's data lies in its source.
    public struct Place: Hashable, Sendable {
        public var offset: Int
        public var count: Int
        public var codec: CID.Codec

        fileprivate init(packed: UInt64) {
            offset = Int(truncatingIfNeeded: packed >> 24)
            count = Int(truncatingIfNeeded: packed >> 1) & 0x7f_ffff
            codec = packed & 1 == 0 ? .dagCBOR : .raw
        }

        /// Reads a byte of each cache line of the block and its CID.
        @inline(__always)
        func look(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
            var seen: UInt64 = 0
            for offset in stride(from: offset - CID.binaryLength, to: offset + min(count, 1024), by: 64) { seen &+= UInt64(bytes[offset]) }
            return seen
        }

        fileprivate func cid(in source: some BlockSource) throws(FormatError) -> CID {
            var cid: CID?
            try source.withBytes(at: offset - CID.binaryLength, count: CID.binaryLength) { cid = CID(loading: $0, at: 0) }
            guard let cid else { throw FormatError(.cid, "a block without its CID in front of it", offset: offset) }
            return cid
        }
    }

    /// First by the beginning of the digest, then by the offset.
    private let entries: [OrderedPair]
    /// For each value of the first bits of a digest, how many entries stand in front of those that begin so; one more for the end.
    private let starts: [UInt32]
    private let bits: Int

    /// Entries that share a slot of `starts`, about.
    private static let slotEntries = 8

    /// Takes entries that are sorted, without those that repeat.
    fileprivate init(_ entries: [OrderedPair]) {
        self.entries = entries
        var bits = 0
        while bits < 31, entries.count >> (bits + 1) >= Self.slotEntries { bits += 1 }
        var starts = [UInt32](repeating: 0, count: (1 << bits) + 1)
        for entry in entries { starts[Self.slot(entry.first, bits) + 1] += 1 }
        for slot in 1..<starts.count { starts[slot] += starts[slot - 1] }
        self.bits = bits
        self.starts = starts
    }

    /// How many blocks there are, repeated ones counted once.
    public var count: Int { entries.count }

    private func cid(at position: Int, in source: some BlockSource) throws(FormatError) -> CID {
        try self[position].cid(in: source)
    }

    /// The slot of digests that begin so.
    @inline(__always)
    private static func slot(_ prefix: UInt64, _ bits: Int) -> Int { bits == 0 ? 0 : Int(truncatingIfNeeded: prefix >> UInt64(64 - bits)) }

    /// The place that has the number `position`, below ``count``.
    @inline(__always)
    subscript(position: Int) -> Place {
        Place(packed: entries[position].second)
    }

    /// Reads where ``candidates(_:)`` will look, without a decision that would have to wait for what is read.
    @inline(__always)
    func look(_ cid: CID) -> UInt64 {
        guard !entries.isEmpty else { return 0 }
        let low = Int(starts[Self.slot(cid.digest.prefix, bits)])
        return entries[min(low, entries.count - 1)].first &+ entries[min(low + Self.slotEntries / 2, entries.count - 1)].first
    }

    /// The numbers of the blocks whose addresses begin like this one: hardly ever more than one.
    @inline(__always)
    func candidates(_ cid: CID) -> Range<Int> {
        let prefix = cid.digest.prefix
        let slot = Self.slot(prefix, bits)
        var low = Int(starts[slot])
        var high = Int(starts[slot + 1])
        let end = high
        while high - low > Self.slotEntries {
            let middle = (low + high) / 2
            if entries[middle].first < prefix { low = middle + 1 } else { high = middle }
        }
        while low < end, entries[low].first < prefix { low += 1 }
        var last = low
        while last < end, entries[last].first == prefix { last += 1 }
        return low..<last
    }

    /// Where a block lies in `source`; nil where it is not there.
    public func place(of cid: CID, in source: some BlockSource) throws(FormatError) -> Place? {
        for position in candidates(cid) where try self.cid(at: position, in: source) == cid { return self[position] }
        return nil
    }
}

extension ArchiveIndex {
    /// Collects blocks in any order, in 16 bytes a block; for a moment while it grows, in twice as much.
    public struct Builder: Sendable {
        private var entries: [OrderedPair] = []
        private let blocksMax: Int

        /// Offsets that fit beside the length and the codec.
        private static let offsetMax = 1 << 40
        // A pair of digests that begin alike costs about two to the 32 trials, and each more of them far more than there is time for.
        private static let alikeMax = 64

        /// - Parameter blocksMax: blocks that may be added, repeated ones counted.
        public init(blocksMax: Int = Limits.repositoryBlocks) { self.blocksMax = min(blocksMax, Int(UInt32.max)) }

        /// How many were added.
        public var count: Int { entries.count }

        /// Adds a block whose data lies at `offset`. Throws `tooLarge` where there are too many, or where it is above ``Limits/blockBytes``.
        public mutating func add(_ cid: CID, offset: Int, count: Int) throws(FormatError) {
            guard entries.count < blocksMax else { throw FormatError(.tooLarge, "more than \(blocksMax) blocks", offset: offset) }
            guard count <= Limits.blockBytes, offset >= CID.binaryLength, offset < Self.offsetMax else {
                throw FormatError(.tooLarge, "a block that is too large, or too far behind", offset: offset)
            }
            entries.append(OrderedPair(cid.digest.prefix, UInt64(offset) << 24 | UInt64(count) << 1 | (cid.codec == .raw ? 1 : 0)))
        }

        /// Sorts what was added and leaves out what repeats; nothing is left to add to. `source` has all of it, and is read where addresses begin alike.
        public mutating func index(_ source: some BlockSource) throws(FormatError) -> ArchiveIndex {
            // Sorted where it lies: a copy would be as large again.
            var taken: [OrderedPair] = []
            swap(&taken, &entries)
            OrderedPair.sort(&taken)
            try Self.leaveOutRepeats(&taken, source)
            return ArchiveIndex(taken)
        }

        private static func leaveOutRepeats(_ entries: inout [OrderedPair], _ source: some BlockSource) throws(FormatError) {
            var kept = 0
            var cids: [CID] = []
            for next in entries.indices {
                let isAlike = kept > 0 && entries[kept - 1].first == entries[next].first
                if isAlike || next + 1 < entries.count && entries[next].first == entries[next + 1].first {
                    let cid = try Place(packed: entries[next].second).cid(in: source)
                    if !isAlike { cids.removeAll(keepingCapacity: true) }
                    if cids.contains(cid) { continue }
                    guard cids.count < alikeMax else { throw FormatError(.car, "too many blocks whose addresses begin alike") }
                    cids.append(cid)
                }
                entries[kept] = entries[next]
                kept += 1
            }
            entries.removeSubrange(kept...)
        }
    }
}
