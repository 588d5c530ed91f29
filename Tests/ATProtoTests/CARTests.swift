import ATProto
import Testing

@Suite("CAR")
struct CARTests {
    private let blocks = (0..<40).map { Block(hashing: [UInt8](repeating: UInt8($0), count: $0 * 7)) }

    @Test("what is written is read, in order, with ranges into the buffer")
    func roundTrip() throws {
        let root = blocks[0].cid
        let car = CARWriter.encode(roots: [root], blocks: blocks)
        var reader = try CARReader(car)
        #expect(reader.roots == [root])
        for block in blocks {
            let next = try reader.next()
            let section = try #require(next)
            #expect(section.cid == block.cid && Array(car[section.range]) == block.bytes)
            #expect(reader.isIntact(section))
        }
        #expect(try reader.next() == nil)
    }

    @Test("an index of few and of many blocks finds each, and the first of those that repeat", arguments: [1, 24, 25, 40])
    func index(count: Int) throws {
        let some = Array(blocks.prefix(count))
        let index = try BlockIndex(car: CARWriter.encode(roots: [some[0].cid], blocks: some + some))
        #expect(index.count == count * 2)
        for block in some { #expect(index.range(of: block.cid).map { Array(index.bytes[$0]) } == block.bytes) }
        #expect(index.range(of: CID(hashing: [77])) == nil)
    }

    @Test("a block that is not what its CID says is refused by a verifying index and by nothing else")
    func wrongBytes() throws {
        let car = CARWriter.encode(roots: [blocks[1].cid], blocks: [Block(cid: blocks[1].cid, bytes: [1])])
        #expect(throws: FormatError.self) { try BlockIndex(car: car) }
        #expect(try BlockIndex(car: car, verifying: false).count == 1)
    }

    @Test("archives that are none are refused")
    func refusals() throws {
        let good = CARWriter.encode(roots: [blocks[1].cid], blocks: [blocks[1]])
        #expect(throws: FormatError.self) { try BlockIndex(car: []) }
        for length in 1..<good.count { #expect((try? BlockIndex(car: Array(good.prefix(length))).count) ?? 0 == 0) }
        let varints: [[UInt8]] = [
            [UInt8](repeating: 0xff, count: 12), [0x80, 0x00], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0],
        ]
        for varint in varints {
            #expect(throws: FormatError.self) { try BlockIndex(car: varint + good) }
            #expect(throws: FormatError.self) { try BlockIndex(car: good + varint) }
        }
        #expect(throws: FormatError.self, "no root") { try BlockIndex(car: CARWriter.encode(roots: [], blocks: blocks)) }
        #expect(throws: FormatError.self, "too many roots") {
            try BlockIndex(car: CARWriter.encode(roots: Array(repeating: blocks[0].cid, count: 17), blocks: blocks))
        }
        let version2: CBORValue = ["roots": .array([.link(blocks[0].cid)]), "version": 2]
        let header = version2.encode()
        #expect(throws: FormatError.self, "version 2") { try BlockIndex(car: [UInt8(header.count)] + header) }
    }
}
