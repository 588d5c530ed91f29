/// Records that a walk has looked for ahead, in order of keys.
///
/// The walk goes on over nodes alone until there are some keys, then all their records are looked up, each step for all of them before the next step: the
/// memory is then asked for many places at once instead of one after the other. Out of a file they are read by ascending offsets, each into its place,
/// as many as have the bytes that may be held. What a walk refuses is told once the records in front of it were given.
struct RecordsAhead: Sendable {
    private struct Item: Sendable {
        var cid: CID
        var keyEnd: Int
        /// Where its bytes must be in the source, if anywhere.
        var place: ArchiveIndex.Place?
        /// Where they are in `data`.
        var start = 0
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
    /// Of those in front of this one it is known where they are.
    private var ready = 0
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
        while position == ready {
            if ready == items.count {
                if let failure { throw failure }
                guard !isAtEnd else { return false }
                try collect(&tree)
            }
            if isCopying { try copy(tree.store) } else { try confirm(tree.store) }
        }
        let item = items[position]
        guard let place = item.place else { return false }
        let keyStart = position == 0 ? 0 : items[position - 1].keyEnd
        position += 1
        guard isCopying else {
            try tree.store.source.withBytes(at: place.offset, count: place.count) { give(item, keyStart, $0, body) }
            return true
        }
        data.withUnsafeBytes { give(item, keyStart, UnsafeRawBufferPointer(rebasing: $0[item.start..<(item.start + place.count)]), body) }
        return true
    }

    private func give(_ item: Item, _ keyStart: Int, _ bytes: UnsafeRawBufferPointer, _ body: (ArchiveWalk.Record) -> Void) {
        keys.withUnsafeBytes { keys in
            body(ArchiveWalk.Record(key: UnsafeRawBufferPointer(rebasing: keys[keyStart..<item.keyEnd]), cid: item.cid, bytes: bytes))
        }
    }

    /// Walks on for the next items.
    private mutating func collect(_ tree: inout TreeWalk<ArchiveBlocks>) throws(FormatError) {
        position = 0
        ready = 0
        items.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        do throws(FormatError) {
            while items.count < itemsMax {
                guard let cid = try tree.next() else {
                    isAtEnd = true
                    break
                }
                tree.withKey { keys.append(contentsOf: $0) }
                items.append(Item(cid: cid, keyEnd: keys.count))
            }
        } catch {
            failure = error
        }
        let blocks = tree.store
        for item in items { seen &+= blocks.index.look(item.cid) }
        for index in items.indices {
            let candidates = blocks.index.candidates(items[index].cid)
            if candidates.count > 1 {
                items[index].place = try blocks.index.place(of: items[index].cid, in: blocks.source)
            } else {
                items[index].place = candidates.first.map { blocks.index[$0] }
            }
        }
    }

    /// Sees that all records are where they must be, in memory.
    private mutating func confirm(_ blocks: ArchiveBlocks) throws(FormatError) {
        var found = 0
        _ = try blocks.source.withAllBytes { bytes in
            for item in items { if let place = item.place { seen &+= place.look(bytes) } }
            for item in items {
                guard let place = item.place, CID(loading: bytes, at: place.offset - CID.binaryLength) == item.cid else { return }
                found += 1
            }
        }
        ready = items.count
        if found < items.count { end(before: found) }
    }

    /// Copies the next records out of a file, as many as may be held.
    private mutating func copy(_ blocks: ArchiveBlocks) throws(FormatError) {
        order.removeAll(keepingCapacity: true)
        var bytes = 0
        while ready < items.count, bytes < bytesMax {
            guard let place = items[ready].place else {
                end(before: ready)
                break
            }
            order.append(OrderedPair(UInt64(place.offset), UInt64(ready)))
            items[ready].start = bytes
            bytes += place.count
            ready += 1
        }
        OrderedPair.sort(&order)
        if data.count < bytes { data.append(contentsOf: repeatElement(0, count: bytes - data.count)) }
        var missing = items.count
        var begin = 0
        while begin < order.count {
            let start = Int(order[begin].first) - CID.binaryLength
            var end = begin
            var stop = start
            repeat {
                stop = Int(order[end].first) + (items[Int(order[end].second)].place?.count ?? 0)
                end += 1
            } while end < order.count && Int(order[end].first) - start < Self.windowBytes
            try blocks.source.withBytes(at: start, count: stop - start) { window in
                missing = min(missing, copy(begin..<end, window, start))
            }
            begin = end
        }
        if missing < items.count { end(before: missing) }
    }

    /// What is asked for at once, and one block.
    private static let windowBytes = 256 << 10

    /// Copies records out of a part of the file that begins at `start`, and returns the first of them that is not there.
    private mutating func copy(_ range: Range<Int>, _ window: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var missing = items.count
        data.withUnsafeMutableBytes { data in
            for pair in order[range] {
                let item = items[Int(pair.second)]
                let place = Int(pair.first) - start
                guard let count = item.place?.count, CID(loading: window, at: place - CID.binaryLength) == item.cid else {
                    missing = min(missing, Int(pair.second))
                    continue
                }
                UnsafeMutableRawBufferPointer(rebasing: data[item.start..<(item.start + count)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: window[place..<(place + count)]))
            }
        }
        return missing
    }

    /// The record of an item is not there.
    private mutating func end(before index: Int) {
        let keyStart = index == 0 ? 0 : items[index - 1].keyEnd
        let path = String(decoding: keys[keyStart..<items[index].keyEnd], as: UTF8.self)
        failure = FormatError(.missingBlock, "the record \(path) is not there")
        items.removeSubrange(index...)
        ready = min(ready, index)
    }
}
