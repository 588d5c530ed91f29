internal import ATProto

/// Where each block of an archive is put while it arrives: first in memory, then in a file. Does no I/O.
///
/// A block is stored as its CID and its data, without the length that an archive has in front of it. In the file blocks that look like nodes of the tree
/// stand together, in extents of their own: a walk needs them here and there and all the time, a quarter of the bytes, while records are read from front
/// to back. An extent is 64 KiB at a multiple of that, or as much as one block takes. Held: what may stay in memory, later two extents and those that wait
/// to be written.
struct SpoolLayout: Sendable {
    /// Bytes that belong to one place of the file.
    struct Extent: Sendable, Equatable {
        var offset: Int
        var bytes: [UInt8]
    }

    /// Of the file. The kernel keeps what one call writes in pieces of its cache that are mapped as a whole: with this size the pages that a read brings
    /// into memory can be counted (``MappedArchive``).
    static let extentBytes = 64 << 10

    private let memoryBytes: Int
    /// All of it as long as there is no file; then empty.
    private(set) var memory: [UInt8] = []
    private(set) var isInFile = false
    /// The end of what is given out of the file.
    private(set) var fileBytes = 0
    /// Of nodes, and of all else.
    private var growing = [Extent(offset: 0, bytes: []), Extent(offset: 0, bytes: [])]
    /// Complete, and not yet taken.
    private var complete: [Extent] = []

    /// - Parameter memoryBytes: an archive whose blocks take no more needs no file.
    init(memoryBytes: Int) { self.memoryBytes = memoryBytes }

    /// Puts a block, and returns where its data is.
    mutating func put(_ cid: CID, _ data: UnsafeRawBufferPointer) -> Int {
        let count = CID.binaryLength + data.count
        if !isInFile, memory.count + count <= memoryBytes { return Self.append(cid, data, to: &memory) }
        if !isInFile { leaveMemory() }
        return put(cid, data, count, in: Self.looksLikeNode(data) ? 0 : 1)
    }

    /// The extents that are to be written.
    mutating func takeComplete() -> [Extent] {
        defer { complete = [] }
        return complete
    }

    /// The same at the end, when nothing more is put.
    mutating func takeRest() -> [Extent] {
        for kind in growing.indices where !growing[kind].bytes.isEmpty { complete.append(growing[kind]) }
        for kind in growing.indices { growing[kind].bytes = [] }
        return takeComplete()
    }

    private mutating func leaveMemory() {
        isInFile = true
        if !memory.isEmpty { complete.append(Extent(offset: reserve(memory.count), bytes: memory)) }
        memory = []
    }

    private mutating func put(_ cid: CID, _ data: UnsafeRawBufferPointer, _ count: Int, in kind: Int) -> Int {
        if growing[kind].bytes.isEmpty || growing[kind].bytes.count + count > Self.extentBytes {
            if !growing[kind].bytes.isEmpty { complete.append(growing[kind]) }
            growing[kind] = Extent(offset: reserve(count), bytes: [])
            growing[kind].bytes.reserveCapacity(max(count, Self.extentBytes))
        }
        return growing[kind].offset + Self.append(cid, data, to: &growing[kind].bytes)
    }

    /// Gives out at least so many bytes of the file.
    private mutating func reserve(_ count: Int) -> Int {
        defer { fileBytes += (count + Self.extentBytes - 1) / Self.extentBytes * Self.extentBytes }
        return fileBytes
    }

    private static func append(_ cid: CID, _ data: UnsafeRawBufferPointer, to bytes: inout [UInt8]) -> Int {
        cid.append(to: &bytes)
        bytes.append(contentsOf: data)
        return bytes.count - data.count
    }

    /// A map of two fields whose first is `e`. It decides about the place alone.
    private static func looksLikeNode(_ data: UnsafeRawBufferPointer) -> Bool {
        data.count > 2 && data[0] == 0xa2 && data[1] == 0x61 && data[2] == UInt8(ascii: "e")
    }
}
