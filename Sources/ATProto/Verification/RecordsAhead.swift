/// Records that a walk has looked for ahead, in order of keys.
///
/// Filled as soon as it is empty: the walk goes on over nodes alone until it has some keys, then all their records are looked up, each step for all of
/// them before the next step: the memory is then asked for many places at once instead of one after the other. Out of a file they are read by
/// ascending offsets, each into its place. What a walk refuses is told once the records in front of it were given.
struct RecordsAhead: Sendable {
    private struct Item: Sendable {
        var cid: CID
        var keyEnd: Int
        var candidates = 0..<0
        /// Where its bytes lie: in the source, or in `data`.
        var start = 0
        var count = 0
    }

    private let itemsMax: Int
    private let bytesMax: Int
    private let isCopying: Bool
    private var items: [Item] = []
    private var keys: [UInt8] = []
    private var data: [UInt8] = []
    private var order: [OrderedPair] = []
    /// The next to be given.
    private var position = 0
    /// What comes behind the items.
    private var failure: FormatError?
    private var isAtEnd = false
    private var seen: UInt64 = 0

    /// - Parameter bytesMax: of records that are read out of a file; one may go beyond.
    init(_ source: any BlockSource, bytesMax: Int) {
        isCopying = (try? source.withAllBytes { _ in }) != true
        // What was looked at in memory must still be in the processor's caches when it is given.
        itemsMax = isCopying ? 1 << 16 : 1 << 9
        self.bytesMax = bytesMax
    }

    mutating func next(_ tree: inout TreeWalk<ArchiveBlocks>, _ body: (ArchiveWalk.Record) -> Void) throws(FormatError) -> Bool {
        while position == items.count {
            if let failure { throw failure }
            guard !isAtEnd else { return false }
            try fill(&tree)
        }
        let item = items[position]
        let keyStart = position == 0 ? 0 : items[position - 1].keyEnd
        position += 1
        guard isCopying else {
            try tree.store.source.withBytes(at: item.start, count: item.count) { give(item, keyStart, $0, body) }
            return true
        }
        data.withUnsafeBytes { give(item, keyStart, UnsafeRawBufferPointer(rebasing: $0[item.start..<(item.start + item.count)]), body) }
        return true
    }

    private func give(_ item: Item, _ keyStart: Int, _ bytes: UnsafeRawBufferPointer, _ body: (ArchiveWalk.Record) -> Void) {
        keys.withUnsafeBytes { keys in
            body(ArchiveWalk.Record(key: UnsafeRawBufferPointer(rebasing: keys[keyStart..<item.keyEnd]), cid: item.cid, bytes: bytes))
        }
    }

    private mutating func fill(_ tree: inout TreeWalk<ArchiveBlocks>) throws(FormatError) {
        position = 0
        items.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        collect(&tree)
        let index = tree.store.index
        for item in items { seen &+= index.look(item.cid) }
        for item in items.indices { items[item].candidates = index.candidates(items[item].cid) }
        if isCopying { try copy(tree.store) } else { try place(tree.store) }
    }

    /// Walks on for the next items.
    private mutating func collect(_ tree: inout TreeWalk<ArchiveBlocks>) {
        do throws(FormatError) {
            while items.count < itemsMax {
                guard let cid = try tree.next() else {
                    isAtEnd = true
                    return
                }
                tree.withKey { keys.append(contentsOf: $0) }
                items.append(Item(cid: cid, keyEnd: keys.count))
            }
        } catch {
            failure = error
        }
    }

    /// Finds where the records lie in memory.
    private mutating func place(_ blocks: ArchiveBlocks) throws(FormatError) {
        var firstMissing = items.count
        _ = try blocks.source.withAllBytes { bytes in
            for item in items { for position in item.candidates { seen &+= blocks.index[position].look(bytes) } }
            for index in items.indices {
                let place = items[index].candidates.lazy.map { blocks.index[$0] }.first {
                    CID(loading: bytes, at: $0.offset - CID.binaryLength) == items[index].cid
                }
                guard let place else {
                    firstMissing = index
                    return
                }
                items[index].start = place.offset
                items[index].count = place.count
            }
        }
        if firstMissing < items.count { end(before: firstMissing) }
    }

    /// Copies the records out of a file.
    private mutating func copy(_ blocks: ArchiveBlocks) throws(FormatError) {
        order.removeAll(keepingCapacity: true)
        var bytes = 0
        for index in items.indices {
            guard let first = items[index].candidates.first else {
                end(before: index)
                break
            }
            let place = blocks.index[first]
            order.append(OrderedPair(UInt64(place.offset), UInt64(index)))
            items[index].start = bytes
            items[index].count = place.count
            bytes += place.count
        }
        OrderedPair.sort(&order)
        if data.count < bytes { data.append(contentsOf: repeatElement(0, count: bytes - data.count)) }
        var firstMissing = items.count
        var others: [Int] = []
        var begin = 0
        while begin < order.count {
            let start = Int(order[begin].first) - CID.binaryLength
            var end = begin
            var stop = start
            repeat {
                stop = Int(order[end].first) + items[Int(order[end].second)].count
                end += 1
            } while end < order.count && Int(order[end].first) - start < Self.windowBytes
            try blocks.source.withBytes(at: start, count: stop - start) { window in copy(begin..<end, window, start, &others) }
            begin = end
        }
        for index in others where try !copyOther(index, blocks) { firstMissing = min(firstMissing, index) }
        if firstMissing < items.count { self.end(before: firstMissing) }
    }

    /// What is asked for at once, and one block.
    private static let windowBytes = 256 << 10

    /// Copies records out of a part of the file that begins at `start`. `others`: those that are not where the first candidate is.
    private mutating func copy(_ range: Range<Int>, _ window: UnsafeRawBufferPointer, _ start: Int, _ others: inout [Int]) {
        data.withUnsafeMutableBytes { data in
            for pair in order[range] {
                let item = items[Int(pair.second)]
                let place = Int(pair.first) - start
                guard CID(loading: window, at: place - CID.binaryLength) == item.cid else {
                    others.append(Int(pair.second))
                    continue
                }
                let bytes = UnsafeRawBufferPointer(rebasing: window[place..<(place + item.count)])
                UnsafeMutableRawBufferPointer(rebasing: data[item.start..<(item.start + item.count)]).copyMemory(from: bytes)
            }
        }
    }

    /// Copies a record whose address begins like another's, behind all others; false where it is not there.
    private mutating func copyOther(_ index: Int, _ blocks: ArchiveBlocks) throws(FormatError) -> Bool {
        let item = items[index]
        return try blocks.withBlock(item.cid, among: item.candidates.dropFirst()) { _, bytes in
            items[index].start = data.count
            items[index].count = bytes.count
            data.append(contentsOf: bytes)
        }
    }

    /// The record of an item is not there.
    private mutating func end(before index: Int) {
        let keyStart = index == 0 ? 0 : items[index - 1].keyEnd
        let path = String(decoding: keys[keyStart..<items[index].keyEnd], as: UTF8.self)
        failure = FormatError(.missingBlock, "the record \(path) is not there")
        items.removeSubrange(index...)
    }
}
