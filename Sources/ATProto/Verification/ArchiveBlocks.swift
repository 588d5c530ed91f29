/// The blocks of an archive by their addresses.
struct ArchiveBlocks: NodeStore {
    let index: ArchiveIndex
    let source: any BlockSource

    var count: Int { index.count }

    func withNode(_ cid: CID, _ body: (_ position: Int, _ data: UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError) {
        guard try withBlock(cid, among: index.candidates(cid), body) else { throw MSTArena.missing(cid) }
    }

    /// Looks at all of them in memory at once: one after the other, each would wait for its own.
    func expect(_ nodes: [CID]) -> UInt64 {
        var seen: UInt64 = 0
        for cid in nodes { seen &+= index.look(cid) }
        _ = try? source.withAllBytes { bytes in
            for cid in nodes { for position in index.candidates(cid) { seen &+= index[position].look(bytes) } }
        }
        return seen
    }

    /// Lends the data of the one among candidates that has this address; false where none has.
    @inline(__always)
    func withBlock(
        _ cid: CID, among candidates: Range<Int>, _ body: (_ position: Int, _ data: UnsafeRawBufferPointer) throws(FormatError) -> Void
    ) throws(FormatError) -> Bool {
        for position in candidates {
            var isFound = false
            let place = index[position]
            try source.withBytes(at: place.offset - CID.binaryLength, count: CID.binaryLength + place.count) { bytes throws(FormatError) in
                guard CID(loading: bytes, at: 0) == cid else { return }
                isFound = true
                try body(position, UnsafeRawBufferPointer(rebasing: bytes[CID.binaryLength...]))
            }
            if isFound { return true }
        }
        return false
    }
}
