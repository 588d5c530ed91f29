/// The blocks of one CAR by their addresses, as ranges into the array that holds them all.
///
/// Memory: the array itself plus about 80 bytes a block. Of a block that repeats the first place counts.
public struct BlockIndex: Sendable {
    public let bytes: [UInt8]
    public let roots: [CID]
    private let sections: [CARReader.Section]
    // A commit has a dozen blocks, which a scan finds faster than a table; a repository has a table.
    private let table: [CID: Int]

    private static let scanLimit = 24

    /// Indexes a whole CAR. `verifying`: throws `cid` where a block has not the digest of its CID.
    public init(car bytes: [UInt8], verifying: Bool = true) throws(FormatError) {
        try self.init(car: bytes, range: 0..<bytes.count, verifying: verifying)
    }

    /// Indexes a CAR that is a part of `bytes`.
    public init(car bytes: [UInt8], range: Range<Int>, verifying: Bool = true) throws(FormatError) {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { throw FormatError(.car, "a range outside of the buffer") }
        self.bytes = bytes
        (roots, sections) = try bytes.withRaw { buffer throws(FormatError) in
            try Self.scan(buffer, range)
        }
        var table: [CID: Int] = [:]
        if sections.count > Self.scanLimit {
            table.reserveCapacity(sections.count)
            for (index, section) in sections.enumerated() where table[section.cid] == nil { table[section.cid] = index }
        }
        self.table = table
        if verifying { try verify() }
    }

    /// Throws `cid` where a block has not the digest of its CID.
    public func verify() throws(FormatError) {
        try bytes.withRaw { buffer throws(FormatError) in
            for section in sections where Digest(hashing: UnsafeRawBufferPointer(rebasing: buffer[section.range])) != section.cid.digest {
                throw FormatError(.cid, "a block whose digest is not its CID's", offset: section.range.lowerBound)
            }
        }
    }

    private static func scan(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>) throws(FormatError) -> ([CID], [CARReader.Section]) {
        let (roots, end) = try CARReader.header(buffer, range)
        var sections: [CARReader.Section] = []
        sections.reserveCapacity(min(scanLimit, range.count / CID.binaryLength))
        var offset = end
        while let section = try CARReader.section(buffer, &offset, range.upperBound) {
            sections.append(section)
        }
        return (roots, sections)
    }

    /// The number of sections, repeated ones counted.
    public var count: Int { sections.count }

    /// Where the block lies in ``bytes``; nil where it is not in the CAR.
    public func range(of cid: CID) -> Range<Int>? { position(of: cid).map { sections[$0].range } }

    /// A number below ``count`` for the block, the same at each call.
    func position(of cid: CID) -> Int? {
        if sections.count > Self.scanLimit { return table[cid] }
        return sections.firstIndex { $0.cid == cid }
    }

    func range(at position: Int) -> Range<Int> { sections[position].range }
    func cid(at position: Int) -> CID { sections[position].cid }
}
