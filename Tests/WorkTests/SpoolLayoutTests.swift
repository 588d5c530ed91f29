import ATProto
import TestSupport
import Testing

@testable import Work

@Suite("Layout of a spool")
struct SpoolLayoutTests {
    private func put(_ layout: inout SpoolLayout, _ block: Block) -> Int {
        block.bytes.withUnsafeBytes { layout.put(block.cid, $0) }
    }

    @Test("every block is where it was said to be, behind its CID, and extents do not touch each other")
    func places() throws {
        let seed = TestSeed("layout of a spool")
        var random = seed.generator()
        for memoryBytes in [0, 1_000, 300_000] {
            var layout = SpoolLayout(memoryBytes: memoryBytes)
            var placed: [(Block, Int)] = []
            var extents: [SpoolLayout.Extent] = []
            for number in 0..<4_000 {
                let isNode = Bool.random(using: &random)
                let size =
                    Int.random(in: 0..<100, using: &random) == 0
                    ? Int.random(in: 60_000...200_000, using: &random) : .random(in: 3...600, using: &random)
                var bytes = [UInt8](repeating: UInt8(number & 255), count: size)
                if isNode { bytes.replaceSubrange(0..<3, with: [0xa2, 0x61, 0x65]) }
                let block = Block(hashing: bytes)
                placed.append((block, put(&layout, block)))
                extents += layout.takeComplete()
            }
            extents += layout.takeRest()
            #expect(layout.isInFile && layout.memory.isEmpty)
            var file = [UInt8](repeating: 0, count: layout.fileBytes)
            var taken = Set<Int>()
            for extent in extents {
                #expect(extent.offset % SpoolLayout.extentBytes == 0 && extent.offset + extent.bytes.count <= layout.fileBytes)
                for unit in 0...(extent.bytes.count - 1) / SpoolLayout.extentBytes {
                    #expect(taken.insert(extent.offset / SpoolLayout.extentBytes + unit).inserted, "\(seed)")
                }
                file.replaceSubrange(extent.offset..<(extent.offset + extent.bytes.count), with: extent.bytes)
            }
            for (block, place) in placed {
                try #require(Array(file[place..<(place + block.bytes.count)]) == block.bytes, "\(seed)")
                try #require(Array(file[(place - CID.binaryLength)..<place]) == block.cid.binary)
            }
            // Nodes stand with nodes: a unit of the file has one kind, but for those that were in memory at first.
            let first = extents.first?.bytes.count ?? 0
            var kinds: [Int: Set<Bool>] = [:]
            for (block, place) in placed where memoryBytes == 0 || place > first {
                kinds[place / SpoolLayout.extentBytes, default: []].insert(block.bytes.starts(with: [0xa2, 0x61, 0x65]))
            }
            #expect(kinds.values.allSatisfy { $0.count == 1 })
        }
    }

    @Test("what is small enough stays in memory")
    func memory() {
        var layout = SpoolLayout(memoryBytes: 10_000)
        let blocks = (0..<50).map { Block(hashing: [UInt8](repeating: UInt8($0), count: 100)) }
        for block in blocks {
            let place = put(&layout, block)
            #expect(Array(layout.memory[place..<(place + 100)]) == block.bytes)
        }
        #expect(!layout.isInFile && layout.takeRest().isEmpty && layout.memory.count == 50 * 136)
    }

    @Test("windows of a mapping are counted as a set of them would be")
    func windows() throws {
        let seed = TestSeed("windows")
        var random = seed.generator()
        let size = ResidentWindows.windowBytes
        for countMax in [1, 2, 7, 40] {
            var windows = ResidentWindows(bytes: 100 * size, residentBytes: countMax * size)
            var touched: Set<Int> = []
            for _ in 0..<3_000 {
                let low = Int.random(in: 0..<(100 * size - 3 * size), using: &random)
                let range = low..<(low + Int.random(in: 1...(3 * size), using: &random))
                let own = Set((range.lowerBound / size)...((range.upperBound - 1) / size))
                let isFull = !touched.isEmpty && touched.union(own).count > countMax
                try #require(windows.touch(range) == isFull, "\(seed)")
                touched = isFull ? own : touched.union(own)
            }
        }
    }
}
