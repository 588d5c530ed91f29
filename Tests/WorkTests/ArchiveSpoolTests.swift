import ATProto
import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Work

@Suite("Spool for an archive", .timeLimit(.minutes(2)))
struct ArchiveSpoolTests {
    /// A signed repository of so many records of about 300 bytes, its blocks in no order.
    private func repository(records: Int, seed: UInt64 = 1) throws -> [UInt8] {
        var random = SeededGenerator(seed: seed)
        var tree = MerkleSearchTree()
        var blocks: [Block] = []
        for number in 0..<records {
            let text = String(repeating: "post \(number) ", count: Int.random(in: 1...40, using: &random))
            let block = Block(hashing: (["$type": "app.bsky.feed.post", "text": .text(text)] as CBORValue).encode())
            try tree.insert("app.bsky.feed.post/k\(number)", block.cid)
            blocks.append(block)
        }
        let key = try SigningKey(.k256, secret: [UInt8](repeating: 7, count: 32))
        let did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
        let commit = try CommitBlock.signed(did: did, rev: "3lhj4kpqtq22a", data: tree.rootCID(), with: key).block
        blocks += tree.allBlocks() + [commit]
        return CARWriter.encode(roots: [commit.cid], blocks: blocks.shuffled(using: &random))
    }

    private func configuration(_ bytesMax: Int = 1 << 30, memoryBytes: Int = 4_096, residentBytes: Int = 1 << 20) throws -> ArchiveSpool.Configuration
    {
        var configuration = ArchiveSpool.Configuration(folder: try TestFolder.make("spool"), bytesMax: bytesMax)
        configuration.memoryBytes = memoryBytes
        configuration.residentBytes = residentBytes
        return configuration
    }

    private func fill(_ spool: ArchiveSpool, _ car: [UInt8], by size: Int) async throws(SpoolError) {
        for start in stride(from: 0, to: car.count, by: size) {
            try await spool.push(ByteBuffer(bytes: car[start..<min(car.count, start + size)]))
        }
    }

    /// Keys, addresses and the first bytes of all records, read some at a time.
    private func records(_ archive: RepositoryArchive, aheadBytes: Int = 50_000) async throws -> [String] {
        let walk = try await PooledWalk.begin(archive, aheadBytes: aheadBytes)
        var lines: [String] = []
        while true {
            let some = try await walk.step { walk throws(FormatError) in
                var lines: [String] = []
                while lines.count < 1_000, try walk.next({ lines.append("\($0.path) \($0.cid) \(CID(hashing: Array($0.bytes)) == $0.cid)") }) {}
                return lines
            }
            guard !some.isEmpty else { return lines }
            lines += some
        }
    }

    private func expected(_ car: [UInt8]) throws -> [String] {
        var walk = try Repository(car: car).walk()
        var lines: [String] = []
        while let record = try walk.next() { lines.append("\(record.path) \(record.cid) true") }
        return lines
    }

    @Test(
        "gives all records, out of memory, out of a file that is mapped at once, and out of one of which only a part may be resident",
        arguments: [(1 << 24, 1 << 20), (4_096, 1 << 24), (4_096, 1 << 18), (0, 1)])
    func records(memoryBytes: Int, residentBytes: Int) async throws {
        let car = try repository(records: 4_000)
        let settings = try configuration(memoryBytes: memoryBytes, residentBytes: residentBytes)
        for size in [1_000, 70_000, car.count] {
            let spool = ArchiveSpool(settings)
            try await fill(spool, car, by: size)
            let archive = try await spool.finish()
            #expect(try await records(archive) == expected(car))
            #expect(archive.commit.rev == "3lhj4kpqtq22a")
            // The file has no name at any time after it was made.
            #expect(try FileManager.default.contentsOfDirectory(atPath: settings.folder).isEmpty)
        }
    }

    @Test("a repository that is small, or empty, or has one large record")
    func sizes() async throws {
        let settings = try configuration()
        for records in [0, 1, 5] {
            let car = try repository(records: records)
            let spool = ArchiveSpool(settings)
            try await fill(spool, car, by: 100)
            #expect(try await self.records(spool.finish()).count == records)
        }
        var tree = MerkleSearchTree()
        let large = Block(hashing: (["$type": "a.b.c", "text": .text(String(repeating: "x", count: 1_000_000))] as CBORValue).encode())
        for number in 0..<20 { try tree.insert("a.b.c/k\(number)", large.cid) }
        let key = try SigningKey(.k256, secret: [UInt8](repeating: 7, count: 32))
        let commit = try CommitBlock.signed(did: "did:plc:ewvi7nxzyoun6zhxrhs64oiz", rev: "3lhj4kpqtq22a", data: tree.rootCID(), with: key).block
        let car = CARWriter.encode(roots: [commit.cid], blocks: [large, commit] + tree.allBlocks())
        let spool = ArchiveSpool(settings)
        try await fill(spool, car, by: 100_000)
        #expect(try await self.records(spool.finish()) == expected(car))
    }

    @Test("an archive that is none, that lies, or that ends early is refused with the archive's own error, and nothing more is taken")
    func refusals() async throws {
        let settings = try configuration()
        let car = try repository(records: 2_000)
        var lying = car
        lying[car.count - 10] ^= 1
        for (bytes, code) in [
            (lying, FormatError.Code.cid), (Array(car.dropLast(3)), .car), ([UInt8](repeating: 0xff, count: 300_000), .car), ([], .car),
        ] {
            let spool = ArchiveSpool(settings)
            let error = await #expect(throws: SpoolError.self) {
                try await fill(spool, bytes, by: 200_000)
                _ = try await spool.finish()
            }
            guard case .archive(let format) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(format.code == code)
            // A spool that has ended tells why, each time.
            let again = await #expect(throws: SpoolError.self) { try await spool.push(ByteBuffer(bytes: [1])) }
            #expect(again == error)
        }
        let missing = ArchiveSpool(settings)
        try await fill(missing, CARWriter.encode(roots: [CID(hashing: [1])], blocks: []), by: 100)
        let error = await #expect(throws: SpoolError.self) { _ = try await missing.finish() }
        #expect(error == .archive(FormatError(.missingBlock, "the commit is not in the archive")))
    }

    @Test("more bytes or blocks than are allowed end it before the rest comes")
    func bounds() async throws {
        let car = try repository(records: 2_000)
        let exact = ArchiveSpool(try configuration(car.count))
        try await fill(exact, car, by: 10_000)
        _ = try await exact.finish()
        let short = ArchiveSpool(try configuration(car.count - 1))
        let error = await #expect(throws: SpoolError.self) {
            try await fill(short, car, by: 10_000)
            _ = try await short.finish()
        }
        #expect(error == .tooLarge(bytesMax: car.count - 1))
        var few = try configuration()
        few.blocksMax = 100
        let spool = ArchiveSpool(few)
        let refused = await #expect(throws: SpoolError.self) { try await fill(spool, car, by: 200_000) }
        guard case .archive(let format) = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
        #expect(format.code == .tooLarge)
    }

    @Test("a folder that is not there, and a disk that is full, are errors of the storage that say where")
    func storage() async throws {
        let car = try repository(records: 2_000)
        var settings = try configuration()
        settings.folder += "/none"
        let spool = ArchiveSpool(settings)
        let error = await #expect(throws: SpoolError.self) { try await fill(spool, car, by: 200_000) }
        #expect(error == .storage(call: "open", errno: ENOENT, folder: settings.folder))
        let file = SpoolFile(descriptor: open("/dev/full", O_RDWR | O_CLOEXEC), folder: "/full")
        let full = #expect(throws: SpoolError.self) { try file.write(SpoolLayout.Extent(offset: 0, bytes: [1, 2, 3])) }
        #expect(full == .diskFull(folder: "/full"))
    }

    @Test("the file is closed where another program begins, and is gone with the archive")
    func descriptor() throws {
        let folder = try TestFolder.make("spool")
        let file = try SpoolFile(folder: folder)
        #expect(fcntl(file.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        try file.write(SpoolLayout.Extent(offset: 65_536, bytes: [UInt8](repeating: 3, count: 200_000)))
        let map = try file.map(1 << 20, residentBytes: 1 << 20)
        try map.withBytes(at: 65_536, count: 200_000) { #expect($0.allSatisfy { $0 == 3 }) }
        // Nothing was written there.
        try map.withBytes(at: (1 << 20) - 100, count: 100) { #expect($0.allSatisfy { $0 == 0 }) }
    }

    @Test("of a file that is read all over, no more is resident than may be")
    func resident() async throws {
        let size = 64 << 20
        let file = try SpoolFile(folder: try TestFolder.make("spool"))
        for offset in stride(from: 0, to: size, by: SpoolLayout.extentBytes) {
            try file.write(SpoolLayout.Extent(offset: offset, bytes: [UInt8](repeating: 1, count: SpoolLayout.extentBytes)))
        }
        let map = try file.map(size, residentBytes: 8 << 20)
        let seed = TestSeed("resident memory")
        var random = seed.generator()
        let before = try mappedBytes()
        var most = 0
        for touch in 0..<20_000 {
            let place = Int.random(in: 0..<(size - 300), using: &random)
            try map.withBytes(at: place, count: 300) { #expect($0[0] == 1 && $0[299] == 1) }
            if touch % 40 == 0 { most = max(most, try mappedBytes() - before) }
        }
        // What else the process maps for the first time meanwhile has room here; all 64 MB have not.
        #expect(most > 4 << 20 && most < 24 << 20, "\(most >> 20) MB, \(seed)")
    }

    /// Pages of files, and of memory that is shared, in this process.
    private func mappedBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        let fields = text.split(separator: " ").compactMap { Int($0) }
        return try #require(fields.count > 2 ? fields[2] : nil) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    @Test("a pool that has ended is told as such")
    func ended() async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        try await pool.shutdownGracefully()
        let spool = ArchiveSpool(try configuration(), pool: pool)
        let error = await #expect(throws: SpoolError.self) { _ = try await spool.finish() }
        #expect(error == .cancelled)
    }
}
