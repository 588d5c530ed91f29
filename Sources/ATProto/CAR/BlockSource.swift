/// Holds the blocks of an archive at offsets that an ``ArchiveIndex`` knows: in memory, or in a file.
///
/// In front of the data of each block stand the 36 bytes of its CID, as they do in a CAR; what stands between blocks is of no consequence. The
/// bytes were verified when they came, and must be the same as long as there is a source.
public protocol BlockSource: Sendable {
    /// Lends `count` bytes from `offset` on, during the call. The caller answers for the range: it comes from the index.
    func withBytes(at offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError)

    /// Lends everything during the call where bytes anywhere cost the same, as in memory. False, and no call, where they do not: then who needs many
    /// blocks asks for them by ascending offsets.
    func withAllBytes(_ body: (UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError) -> Bool
}

/// An archive whole in memory.
public struct ArchiveBytes: BlockSource {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public func withBytes(at offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError) {
        try bytes.withRaw { buffer throws(FormatError) in try body(UnsafeRawBufferPointer(rebasing: buffer[offset..<(offset + count)])) }
    }

    public func withAllBytes(_ body: (UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError) -> Bool {
        try bytes.withRaw(body)
        return true
    }
}
