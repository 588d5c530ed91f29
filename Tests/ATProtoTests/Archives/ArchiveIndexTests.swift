import Testing

@testable import ATProto

@Suite("Index of an archive")
struct ArchiveIndexTests {
    /// An address that somebody claims; nothing is hashed.
    private func cid(_ first: [UInt8], _ rest: UInt8, codec: UInt8 = 0x71) throws -> CID {
        try CID(binary: [1, codec, 0x12, 0x20] + first + [UInt8](repeating: rest, count: 32 - first.count))
    }

    private func indexed(_ blocks: [Block]) throws -> (ArchiveIndex, ArchiveBytes) {
        let car = CARWriter.encode(roots: [blocks.first?.cid ?? CID(hashing: [])], blocks: blocks)
        let source = ArchiveBytes(car)
        return (try ArchiveIndex(car: car, over: source, verifying: false), source)
    }

    @Test("finds each block where it lies, the first of those that repeat, and none that is not there", arguments: [0, 1, 7, 8, 9, 24, 300, 5_000])
    func finds(count: Int) throws {
        let blocks = (0..<count).map { Block(hashing: Array("block \($0)".utf8), codec: $0 % 3 == 0 ? .raw : .dagCBOR) }
        let (index, source) = try indexed(blocks + blocks.reversed())
        #expect(index.count == count)
        var offset = 0
        for block in blocks {
            let place = try #require(try index.place(of: block.cid, in: source))
            #expect(Array(source.bytes[place.offset..<(place.offset + place.count)]) == block.bytes)
            #expect(place.codec == block.cid.codec)
            // Ascending: all are from the first half.
            #expect(place.offset > offset)
            offset = place.offset
        }
        for other in 0..<50 { #expect(try index.place(of: CID(hashing: Array("other \(other)".utf8)), in: source) == nil) }
    }

    @Test("one digest under two codecs is two blocks")
    func codecs() throws {
        let both = [Block(hashing: [5]), Block(hashing: [5], codec: .raw)]
        let (index, source) = try indexed(both)
        #expect(index.count == 2)
        for block in both { #expect(try index.place(of: block.cid, in: source)?.codec == block.cid.codec) }
    }

    @Test("addresses that begin alike are told apart where the blocks lie")
    func alike() throws {
        let first = [UInt8](repeating: 9, count: 8)
        var blocks: [Block] = []
        for rest in 0..<64 { blocks.append(Block(cid: try cid(first, UInt8(rest)), bytes: [UInt8(rest)])) }
        // Repeats among them, and neighbours on both sides.
        blocks +=
            blocks.shuffled() + [
                Block(cid: try cid([9, 9, 9, 9, 9, 9, 9, 8], 255), bytes: [1]), Block(cid: try cid([9, 9, 9, 9, 9, 9, 9, 10], 0), bytes: [2]),
            ]
        let (index, source) = try indexed(blocks)
        #expect(index.count == 66)
        for rest in 0..<64 {
            let place = try #require(try index.place(of: cid(first, UInt8(rest)), in: source))
            #expect(source.bytes[place.offset] == UInt8(rest))
        }
        #expect(try index.place(of: cid(first, 64), in: source) == nil)
        #expect(try index.place(of: cid(first, 3, codec: 0x55), in: source) == nil)
    }

    @Test("more addresses that begin alike than there are by chance are refused, and repeats of one block are none")
    func tooManyAlike() throws {
        let first = [UInt8](repeating: 9, count: 8)
        let many = try (0..<65).map { Block(cid: try cid(first, UInt8($0)), bytes: [1]) }
        #expect(throws: FormatError.self) { try indexed(many) }
        let (index, _) = try indexed(Array(repeating: many[0], count: 50_000))
        #expect(index.count == 1)
    }

    @Test("an index of digests that all begin with the same bits finds each")
    func skewed() throws {
        let blocks = try (0..<3_000).map { number in
            Block(cid: try cid([0, 0, 0, 0, 0, UInt8(number >> 8), UInt8(number & 255)], 1), bytes: [UInt8(number & 127)])
        }
        let (index, source) = try indexed(blocks.shuffled())
        for block in blocks { #expect(try index.place(of: block.cid, in: source).map { source.bytes[$0.offset] } == block.bytes[0]) }
        #expect(try index.place(of: cid([0, 0, 0, 0, 0, 255, 255], 1), in: source) == nil)
    }

    @Test("is bounded in blocks and in the size of each")
    func bounds() throws {
        var builder = ArchiveIndex.Builder(blocksMax: 3)
        let cid = CID(hashing: [1])
        for _ in 0..<3 { try builder.add(cid, offset: 100, count: Limits.blockBytes) }
        #expect(throws: FormatError.self) { try builder.add(cid, offset: 100, count: 1) }
        var other = ArchiveIndex.Builder()
        #expect(throws: FormatError.self) { try other.add(cid, offset: 100, count: Limits.blockBytes + 1) }
        #expect(throws: FormatError.self) { try other.add(cid, offset: 1 << 40, count: 1) }
        #expect(throws: FormatError.self, "no room for a CID in front of it") { try other.add(cid, offset: 35, count: 1) }
        try other.add(cid, offset: (1 << 40) - 1, count: Limits.blockBytes)
        #expect(MemoryLayout<OrderedPair>.stride == 16)
    }
}
