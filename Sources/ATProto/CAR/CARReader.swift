/// Walks the sections of a CAR, version 1, that lies in one buffer; copies nothing.
///
/// Lengths are compared with what is left before they are used, so a walk takes at most one step per 37 bytes. Blocks may come in any
/// order and may repeat. A section with another kind of CID than dag-cbor or raw with SHA-256 is refused.
public struct CARReader: Sendable {
    /// Where a block lies in the buffer.
    public struct Section: Hashable, Sendable {
        public var cid: CID
        /// The data, in offsets of the array that the reader was made of.
        public var range: Range<Int>
    }

    public let bytes: [UInt8]
    public let roots: [CID]
    private var offset: Int
    private let end: Int

    /// Reads the header; throws `car` where it is none of version 1 with 1 to 16 roots.
    public init(_ bytes: [UInt8]) throws(FormatError) { try self.init(bytes, range: 0..<bytes.count) }

    /// Reads a CAR that is a part of `bytes`.
    public init(_ bytes: [UInt8], range: Range<Int>) throws(FormatError) {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { throw FormatError(.car, "a range outside of the buffer") }
        self.bytes = bytes
        end = range.upperBound
        (roots, offset) = try bytes.withRaw { buffer throws(FormatError) in try Self.header(buffer, range) }
    }

    /// The next section, nil after the last; throws `car` where the rest is none. Its CID is believed: see ``isIntact(_:)``.
    public mutating func next() throws(FormatError) -> Section? {
        var position = offset
        let end = end
        let section = try bytes.withRaw { buffer throws(FormatError) in try Self.section(buffer, &position, end) }
        offset = position
        return section
    }

    /// Whether the data of a section has the digest that its CID says.
    public func isIntact(_ section: Section) -> Bool {
        bytes.withUnsafeBytes { Digest(hashing: UnsafeRawBufferPointer(rebasing: $0[section.range])) == section.cid.digest }
    }

    // MARK: - Over a buffer

    static func header(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>) throws(FormatError) -> (roots: [CID], end: Int) {
        var offset = range.lowerBound
        let length = try Varint.read(buffer, at: &offset, end: range.upperBound)
        guard length <= range.upperBound - offset else { throw FormatError(.car, "a header longer than the archive", offset: offset) }
        var reader = CBORReader(buffer, range: offset..<(offset + length))
        var roots: [CID] = []
        var version: Int64 = 0
        var order = CBORKeyOrder()
        for _ in 0..<(try reader.mapCount()) {
            let key = try reader.key(&order)
            if reader.equals(key, "roots") {
                let count = try reader.arrayCount()
                guard count <= Limits.carRoots else { throw FormatError(.car, "too many roots", offset: offset) }
                for _ in 0..<count { roots.append(try reader.link()) }
            } else if reader.equals(key, "version") {
                version = try reader.integer()
            } else {
                try reader.skip()
            }
        }
        guard reader.isAtEnd else { throw FormatError(.car, "bytes after the header", offset: offset) }
        guard version == 1 else { throw FormatError(.car, "not a CAR of version 1", offset: offset) }
        guard !roots.isEmpty else { throw FormatError(.car, "no root", offset: offset) }
        return (roots, offset + length)
    }

    @inline(__always)
    static func section(_ buffer: UnsafeRawBufferPointer, _ offset: inout Int, _ end: Int) throws(FormatError) -> Section? {
        guard offset < end else { return nil }
        let start = offset
        let length = try Varint.read(buffer, at: &offset, end: end)
        guard length <= end - offset else { throw FormatError(.car, "a section longer than what is left", offset: start) }
        let section = try section(buffer, at: offset, length: length, start: start)
        offset = section.range.upperBound
        return section
    }

    /// The section of `length` bytes, which are there, behind its length at `start`.
    @inline(__always)
    static func section(_ buffer: UnsafeRawBufferPointer, at offset: Int, length: Int, start: Int) throws(FormatError) -> Section {
        guard length >= CID.binaryLength, let cid = CID(loading: buffer, at: offset) else { throw foreign(start) }
        return Section(cid: cid, range: (offset + CID.binaryLength)..<(offset + length))
    }

    @inline(never)
    static func foreign(_ start: Int) -> FormatError {
        FormatError(.car, "a section without a CIDv1 of dag-cbor or raw with SHA-256", offset: start)
    }
}
