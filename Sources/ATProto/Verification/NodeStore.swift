/// Where a walk finds the blocks of a tree's nodes.
protocol NodeStore: Sendable {
    /// How many blocks there are.
    var count: Int { get }

    /// Lends the data of a block, with a number below ``count`` that is its own. Throws `missingBlock` where it is not there, and what `body` throws.
    func withNode(_ cid: CID, _ body: (_ position: Int, _ data: UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError)

    /// Says that these nodes will be asked for next. What it returns is of no meaning: it was made from what was looked at.
    func expect(_ nodes: [CID]) -> UInt64
}

extension BlockIndex: NodeStore {
    func withNode(_ cid: CID, _ body: (_ position: Int, _ data: UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError) {
        guard let position = position(of: cid) else { throw MSTArena.missing(cid) }
        let range = range(at: position)
        try bytes.withRaw { buffer throws(FormatError) in try body(position, UnsafeRawBufferPointer(rebasing: buffer[range])) }
    }

    func expect(_ nodes: [CID]) -> UInt64 { 0 }
}
