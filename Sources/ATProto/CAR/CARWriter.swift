/// Writes a CAR, version 1: a header with the roots, then each block as length, CID, data.
public struct CARWriter: Sendable {
    public private(set) var bytes: [UInt8]

    public init(roots: [CID], capacity: Int = 4096) {
        var header = CBORWriter(capacity: 64)
        header.map(count: 2)
        header.text("roots")
        header.array(count: roots.count)
        for root in roots { header.link(root) }
        header.text("version")
        header.integer(1)
        bytes = []
        bytes.reserveCapacity(capacity)
        Varint.append(header.bytes.count, to: &bytes)
        bytes.append(contentsOf: header.bytes)
    }

    /// Appends a block as it is given: the caller answers for the CID (a faulty host of the simulator writes wrong ones on purpose).
    public mutating func append(_ cid: CID, _ block: [UInt8]) {
        Varint.append(CID.binaryLength + block.count, to: &bytes)
        cid.append(to: &bytes)
        bytes.append(contentsOf: block)
    }

    public mutating func append(_ block: Block) { append(block.cid, block.bytes) }

    /// Appends bytes as they are, whether they are sections or not: for the archives of faulty hosts.
    public mutating func append(raw more: [UInt8]) { bytes.append(contentsOf: more) }

    /// Hands over what was written since the start or the last call, so that an archive of any size is written in parts.
    public mutating func takeBytes(reserving capacity: Int = 0) -> [UInt8] {
        defer {
            bytes = []
            bytes.reserveCapacity(capacity)
        }
        return bytes
    }

    /// A whole CAR at once.
    public static func encode(roots: [CID], blocks: some Sequence<Block>) -> [UInt8] {
        var writer = CARWriter(roots: roots)
        for block in blocks { writer.append(block) }
        return writer.bytes
    }
}
