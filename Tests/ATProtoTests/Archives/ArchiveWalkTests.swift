import TestSupport
import Testing

@testable import ATProto

@Suite("Archives of repositories")
struct ArchiveWalkTests {
    /// The three ways through an archive must agree: whole, over an index in memory, and over an index out of a file, some records at a time.
    private func expectSame(_ car: [UInt8], aheadBytes: Int = 700, _ comment: Comment) throws -> WalkOutcome {
        let whole = WalkOutcome { () throws(FormatError) in try Repository(car: car) }
        let inMemory = WalkOutcome { () throws(FormatError) in try RepositoryArchive(car: car) }
        try #require(inMemory == whole, comment)
        let source = OrderedSource(car)
        let ordered = WalkOutcome({ () throws(FormatError) in try RepositoryArchive(car: car, over: source) }, aheadBytes: aheadBytes)
        try #require(ordered == whole, comment)
        return whole
    }

    @Test("random repositories in any order of blocks, some of them twice, give the same records both ways", arguments: 0..<28)
    func randomRepositories(round: Int) throws {
        let seed = TestSeed("archives, round \(round)")
        var random = seed.generator()
        let count = [0, 1, 2, 9, 60, 300, 900][round % 7]
        let archive = try TestArchive(records: count, using: &random)
        let outcome = try expectSame(archive.shuffled(using: &random).car, aheadBytes: Int.random(in: 1...5_000, using: &random), "\(seed)")
        #expect(outcome.error == nil && outcome.records.count == archive.blocks.count - 1 - nodes(archive))
        #expect(outcome.records.map(\.path) == outcome.records.map(\.path).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(outcome.records.allSatisfy { CID(hashing: $0.bytes) == $0.cid })
    }

    private func nodes(_ archive: TestArchive) -> Int {
        archive.blocks.filter { block in (try? CBORValue.decode(block.bytes))?["e"] != nil }.count
    }

    @Test("a repository with one block missing, changed or exchanged gives the same records up to the same error, whichever it is")
    func faults() throws {
        let seed = TestSeed("faults of archives")
        var random = seed.generator()
        let archive = try TestArchive(records: 30, using: &random).shuffled(using: &random)
        for index in archive.blocks.indices {
            var some = archive
            let cid = some.blocks[index].cid
            some.blocks.removeAll { $0.cid == cid }
            let outcome = try expectSame(some.car, "\(seed), without block \(index)")
            #expect(outcome.error == .missingBlock)
            // An address of its own, and another's bytes under this one.
            some = archive
            some.blocks[index].bytes = some.blocks[(index + 1) % some.blocks.count].bytes
            if some.blocks[index] != archive.blocks[index] { #expect(try expectSame(some.car, "\(seed)") == WalkOutcome.nothing(.cid)) }
        }
    }

    @Test("the signature is the account's, or it is not")
    func signature() throws {
        var random = TestSupport.SeededGenerator(seed: 1)
        let archive = try TestArchive(records: 3, using: &random)
        let read = try RepositoryArchive(car: archive.car)
        #expect(read.commitCID == archive.root && read.commit.did == "did:plc:ewvi7nxzyoun6zhxrhs64oiz")
        #expect(read.isSigned(by: try TestArchive.key().verificationKey))
        #expect(!read.isSigned(by: try SigningKey(.k256, secret: [UInt8](repeating: 8, count: 32)).verificationKey))
    }

    @Test("out of a file, records are read by ascending offsets, as many at a time as were allowed")
    func ascending() throws {
        let seed = TestSeed("order of reads")
        var random = seed.generator()
        let archive = try TestArchive(records: 2_000, using: &random).shuffled(using: &random)
        let source = OrderedSource(archive.car)
        let repository = try RepositoryArchive(car: archive.car, over: source)
        var walk = try repository.walk(aheadBytes: 40_000)
        _ = source.takeReads()
        var (held, last) = (0, 0)
        var rounds = 0
        var isFirst = true
        while try walk.next({ held += $0.bytes.count }) {
            let reads = source.takeReads()
            guard !reads.isEmpty else { continue }
            // The first time all nodes are read before; the records are what ascends at the end.
            let records = isFirst ? Array(reads.suffix(2)) : reads
            #expect(zip(records, records.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
            if rounds < 3 { #expect(records.reduce(0) { $0 + $1.count } > archive.car.count / 2, "scattered over all of it") }
            if !isFirst { #expect((39_000...41_000).contains(held - last)) }
            (isFirst, last) = (false, held)
            rounds += 1
        }
        #expect(rounds > 3)
    }

    @Test("a walk can be copied and go on twice")
    func copies() throws {
        var random = TestSupport.SeededGenerator(seed: 2)
        let repository = try RepositoryArchive(car: try TestArchive(records: 200, using: &random).car)
        var walk = try repository.walk()
        for _ in 0..<50 { #expect(try walk.next { _ in }) }
        let rest = WalkOutcome { () throws(FormatError) in walk }
        #expect(rest == WalkOutcome { () throws(FormatError) in walk })
        #expect(rest.records.count > 100)
    }

    @Test("a walk that has failed or ended stays so")
    func ends() throws {
        var random = TestSupport.SeededGenerator(seed: 3)
        var archive = try TestArchive(records: 40, using: &random)
        var walk = try RepositoryArchive(car: archive.car).walk()
        while try walk.next({ _ in }) {}
        #expect(try !walk.next { _ in })
        archive.blocks.remove(at: 20)
        for isOrdered in [false, true] {
            let repository =
                isOrdered ? try RepositoryArchive(car: archive.car, over: OrderedSource(archive.car)) : try RepositoryArchive(car: archive.car)
            var broken = try repository.walk()
            let error = #expect(throws: FormatError.self) { while try broken.next({ _ in }) {} }
            #expect(#expect(throws: FormatError.self) { try broken.next { _ in } } == error)
        }
    }

    @Test("the first root counts, the others do not; a raw one is none")
    func roots() throws {
        var random = TestSupport.SeededGenerator(seed: 4)
        let archive = try TestArchive(records: 5, using: &random)
        let expected = try expectSame(archive.car, "one root")
        #expect(try expectSame(CARWriter.encode(roots: [archive.root, CID(hashing: [1])], blocks: archive.blocks), "two roots") == expected)
        let second = try expectSame(CARWriter.encode(roots: [CID(hashing: [1]), archive.root], blocks: archive.blocks), "the other first")
        #expect(second == .nothing(.missingBlock))
        let raw = Block(hashing: archive.blocks[0].bytes, codec: .raw)
        let car = CARWriter.encode(roots: [raw.cid], blocks: [raw] + archive.blocks)
        #expect(try expectSame(car, "raw") == .nothing(.car))
        let record = try #require(archive.blocks.dropFirst().first)
        #expect(try expectSame(CARWriter.encode(roots: [record.cid], blocks: archive.blocks), "a record").error != nil)
    }

    @Test(
        "real repositories give the same both ways", .enabled(if: Conformance.isPresent, Conformance.absent),
        arguments: [("little", 100), ("empty", 0)])
    func real(name: String, least: Int) throws {
        let car = try Conformance.bytes("repositories/\(name).car")
        let outcome = try expectSame(car, aheadBytes: 10_000, "\(name)")
        #expect(outcome.error == nil && outcome.records.count >= least)
        var stream = CARStream()
        var blocks = 0
        for byte in car { try stream.push([byte]) { _, _, _ in blocks += 1 } }
        try stream.finish()
        #expect(try blocks == BlockIndex(car: car).count)
    }
}

extension WalkOutcome {
    static func nothing(_ error: FormatError.Code) -> WalkOutcome {
        WalkOutcome { () throws(FormatError) -> RepositoryArchive in throw FormatError(error, "") }
    }
}
