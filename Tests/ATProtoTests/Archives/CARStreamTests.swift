import ATProto
import TestSupport
import Testing

@Suite("CAR in pieces")
struct CARStreamTests {
    private static let blocks = (0..<40).map { Block(hashing: [UInt8](repeating: UInt8($0), count: $0 * 7), codec: $0 % 5 == 4 ? .raw : .dagCBOR) }
    private static let car = CARWriter.encode(roots: [blocks[1].cid, blocks[0].cid], blocks: blocks)

    private struct Section: Equatable {
        var cid: CID
        var offset: Int
        var bytes: [UInt8]
    }

    /// Reads pieces of a CAR; nil where it is refused, after the sections in front of the fault.
    private func sections(_ chunks: [ArraySlice<UInt8>], verifying: Bool = true) -> (sections: [Section], roots: [CID], error: FormatError?) {
        var stream = CARStream(verifying: verifying)
        var sections: [Section] = []
        do throws(FormatError) {
            for chunk in chunks { try stream.push(Array(chunk)) { sections.append(Section(cid: $0, offset: $1, bytes: Array($2))) } }
            try stream.finish()
        } catch {
            return (sections, stream.roots, error)
        }
        return (sections, stream.roots, nil)
    }

    private func chunks(_ bytes: [UInt8], of size: Int) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min(bytes.count, $0 + size)] }
    }

    @Test("pieces of every size give the same blocks, with their offsets in the whole")
    func sizes() throws {
        var expected: [Section] = []
        var reader = try CARReader(Self.car)
        while let section = try reader.next() {
            expected.append(Section(cid: section.cid, offset: section.range.lowerBound, bytes: Array(Self.car[section.range])))
        }
        #expect(expected.map(\.cid) == Self.blocks.map(\.cid))
        for size in Array(1...400) + [1_000, Self.car.count - 1, Self.car.count, Self.car.count + 1] {
            let read = sections(chunks(Self.car, of: size))
            try #require(read.error == nil && read.sections == expected && read.roots == reader.roots, "pieces of \(size)")
        }
    }

    @Test("pieces of random sizes, empty ones among them, give the same")
    func randomSizes() throws {
        let seed = TestSeed("pieces of a CAR")
        var random = seed.generator()
        let expected = sections([Self.car[...]]).sections
        for _ in 0..<300 {
            var pieces: [ArraySlice<UInt8>] = []
            var rest = Self.car[...]
            while !rest.isEmpty {
                let size = Int.random(in: 0...min(rest.count, [3, 40, 700, 9_000].randomElement(using: &random) ?? 1), using: &random)
                pieces.append(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            try #require(sections(pieces).sections == expected, "\(seed)")
        }
    }

    @Test("what ends early is refused, and the offset is where the piece began that is not whole")
    func truncated() throws {
        let header = try #require(sections([Self.car[...]]).sections.first).offset - CID.binaryLength - 1
        let borders = [header] + sections([Self.car[...]]).sections.map { $0.offset + $0.bytes.count }
        for length in 0..<Self.car.count {
            let error = sections(chunks(Array(Self.car.prefix(length)), of: 100)).error
            let border = borders.last { $0 <= length } ?? 0
            if border == length, length >= header {
                try #require(error == nil, "\(length)")
            } else {
                try #require(error?.code == .car && error?.offset == border, "\(length): \(String(describing: error))")
            }
        }
    }

    @Test("lengths that nobody can mean are refused when they are there, before what they announce")
    func lengths() {
        func varint(_ value: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            var rest = value
            while rest > 127 {
                bytes.append(UInt8(rest & 127) | 128)
                rest >>= 7
            }
            return bytes + [UInt8(rest)]
        }
        func refusal(_ bytes: [UInt8]) -> FormatError? {
            var stream = CARStream()
            do throws(FormatError) { for byte in bytes { try stream.push([byte]) { _, _, _ in } } } catch { return error }
            return nil
        }
        #expect(refusal(varint(Limits.carHeaderBytes)) == nil)
        #expect(refusal(varint(Limits.carHeaderBytes + 1))?.code == .tooLarge)
        #expect(refusal(varint(.max))?.code == .tooLarge)
        #expect(refusal([UInt8](repeating: 0xff, count: 10))?.code == .car)
        #expect(refusal([0x80, 0])?.code == .car)
        let car = Self.car
        #expect(refusal(car + varint(CID.binaryLength + Limits.blockBytes)) == nil)
        let long = refusal(car + varint(CID.binaryLength + Limits.blockBytes + 1))
        #expect(long?.code == .tooLarge && long?.offset == car.count)
        #expect(refusal(car + varint(1 << 40))?.code == .tooLarge)
        #expect(refusal(car + [UInt8](repeating: 0xff, count: 9))?.offset == car.count)
        #expect(refusal(car + [0x80, 0])?.code == .car, "not the shortest form")
        for length in [0, 1, CID.binaryLength - 1] { #expect(refusal(car + varint(length))?.code == .car, "a section of \(length)") }
    }

    @Test("a block of the largest size passes, in pieces too")
    func largest() {
        let block = Block(hashing: [UInt8](repeating: 1, count: Limits.blockBytes))
        let car = CARWriter.encode(roots: [block.cid], blocks: [block])
        for size in [1 << 16, car.count] { #expect(sections(chunks(car, of: size)).sections.first?.bytes == block.bytes) }
    }

    @Test("a block that is not what its CID says is refused where it lies, and with it all that comes after")
    func wrongDigest() throws {
        let good = sections([Self.car[...]]).sections
        for index in [1, 17, 39] {
            var car = Self.car
            car[good[index].offset] ^= 1
            for size in [1, 60, car.count] {
                let read = sections(chunks(car, of: size))
                #expect(read.error?.code == .cid && read.error?.offset == good[index].offset)
                #expect(read.sections == Array(good.prefix(index)))
                #expect(sections(chunks(car, of: size), verifying: false).error == nil)
            }
        }
        var stream = CARStream()
        var car = Self.car
        car[good[1].offset] ^= 1
        let first = #expect(throws: FormatError.self) { try stream.push(car) { _, _, _ in } }
        #expect(#expect(throws: FormatError.self) { try stream.push(Self.car) { _, _, _ in } } == first)
        #expect(#expect(throws: FormatError.self) { try stream.finish() } == first)
    }

    @Test("an address of another kind is refused where its section begins")
    func foreignCIDs() throws {
        let second = try #require(sections([Self.car[...]]).sections.dropFirst().first).offset - CID.binaryLength
        for (place, value) in [(0, 0x02), (1, 0x70), (2, 0x13), (3, 0x1f)] {
            var car = Self.car
            car[second + place] = UInt8(value)
            let error = sections(chunks(car, of: 50)).error
            #expect(error?.code == .car && error?.offset == second - 1)
        }
    }

    @Test("headers are taken and refused as by the reader of whole archives")
    func headers() {
        let cids = Self.blocks.map(\.cid)
        let sixteen = CARWriter.encode(roots: Array(cids.prefix(16)), blocks: Self.blocks)
        #expect(sections(chunks(sixteen, of: 7)).roots == Array(cids.prefix(16)))
        let bodies: [CBORValue] = [
            ["roots": .array([.link(cids[0])]), "version": 2], ["roots": [], "version": 1], ["version": 1], ["roots": .array([.link(cids[0])])],
            ["roots": .array(cids.prefix(17).map { .link($0) }), "version": 1], ["roots": "x", "version": 1], [1],
        ]
        for body in bodies {
            let bytes = body.encode()
            let length: [UInt8] = bytes.count < 128 ? [UInt8(bytes.count)] : [UInt8(bytes.count & 127) | 128, UInt8(bytes.count >> 7)]
            let car = length + bytes
            #expect(throws: FormatError.self) { try CARReader(car) }
            for size in [1, car.count] { #expect(sections(chunks(car, of: size)).error != nil, "\(body)") }
        }
        let more: CBORValue = ["roots": .array([.link(cids[0])]), "version": 1, "comment": "more"]
        let bytes = more.encode()
        #expect(sections(chunks([UInt8(bytes.count)] + bytes, of: 3)).roots == [cids[0]])
    }
}
