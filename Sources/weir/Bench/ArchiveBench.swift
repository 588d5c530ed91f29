import ATProto
import Foundation
import Work

/// What reading a large repository costs: its archive taken apart, every block's digest compared, and all records visited in order of keys, on one core;
/// and the memory of a process that fetches one.
///
/// Rates are by the processor time of the one thread that works. The file is in the kernel's cache: it was written just before.
enum ArchiveBench: BenchPart {
    static let name = "archive"

    private static let rateMin = 400.0
    private static let megabytesMax = 200.0

    enum Broken: Error { case file(String), records(Int), child(String) }

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-bench-\(UInt32.random(in: 0...(.max)))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        context.progress.show("making an archive", 0, 1, note: "some seconds")
        let file = try ArchiveFile(path: folder.appendingPathComponent("repository.car").path)
        context.progress.show("reading it", 0, 1, note: "\(file.bytes >> 20) MB")
        let memory = try await ArchiveMemory.measure(file.path)
        guard memory.records == ArchiveFile.records else { throw Broken.records(memory.records) }
        return [try walk(file, passes: context.isFull ? 12 : 4), row(memory, file)]
    }

    private static func walk(_ file: ArchiveFile, passes: Int) throws -> BenchRow {
        let source = try MappedArchive(path: file.path)
        // In turns, and the best of each: a neighbour's work on the machine's memory slows down single passes.
        var (ceiling, figure) = (0.0, 0.0)
        var parts = (read: 0.0, index: 0.0, walk: 0.0)
        for _ in 0..<passes {
            let begun = threadSeconds()
            _ = try read(source, verifying: false) { _, _, data in _ = Digest(hashing: data) }
            ceiling = max(ceiling, rate(file, threadSeconds() - begun))
            let (time, pass) = try walkOnce(source)
            guard rate(file, time) > figure else { continue }
            figure = rate(file, time)
            parts = pass
        }
        func milliseconds(_ seconds: Double) -> String { BenchTable.number(seconds * 1_000) }
        return BenchRow(
            name: "walk of a repository's archive with all digests compared", figure: figure, unit: "MB/s", ceiling: ceiling,
            ceilingName: "SHA-256 alone over the same blocks", bar: .atLeast(rateMin),
            note: """
                \(file.bytes / 1_000_000) MB, \(file.blocks) blocks in no order, \(ArchiveFile.records) records, file cached, one core, best of \(passes) passes: \
                \(milliseconds(parts.read)) ms to read and compare digests, \(milliseconds(parts.index)) to sort the index, \(milliseconds(parts.walk)) to walk
                """)
    }

    private static func rate(_ file: ArchiveFile, _ seconds: Double) -> Double { Double(file.bytes) / 1_000_000 / seconds }

    private static func walkOnce(_ source: MappedArchive) throws -> (seconds: Double, parts: (read: Double, index: Double, walk: Double)) {
        let begun = threadSeconds()
        var builder = ArchiveIndex.Builder()
        let root = try read(source) { cid, offset, data throws(FormatError) in try builder.add(cid, offset: offset, count: data.count) }
        let read = threadSeconds()
        let index = try builder.index(source)
        let sorted = threadSeconds()
        var walk = try RepositoryArchive(root: root, index: index, source: source).walk()
        var records = 0
        while try walk.next({ records += $0.bytes.isEmpty ? 0 : 1 }) {}
        guard records == ArchiveFile.records else { throw Broken.records(records) }
        let end = threadSeconds()
        return (end - begun, (read - begun, sorted - read, end - sorted))
    }

    /// Takes the archive apart in pieces, as they come from a host.
    private static func read(
        _ source: MappedArchive, verifying: Bool = true, _ block: (CID, Int, UnsafeRawBufferPointer) throws(FormatError) -> Void
    ) throws(FormatError) -> CID {
        var stream = CARStream(verifying: verifying)
        _ = try source.withAllBytes { bytes throws(FormatError) in
            for start in stride(from: 0, to: bytes.count, by: 256 << 10) {
                try stream.push(UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + 256 << 10)]), block)
            }
        }
        try stream.finish()
        return stream.roots[0]
    }

    private static func row(_ memory: ArchiveMemory, _ file: ArchiveFile) -> BenchRow {
        BenchRow(
            name: "resident memory of a process that takes it in and walks it", figure: memory.peakMB, unit: "MB", ceiling: nil, ceilingName: nil,
            bar: .atMost(megabytesMax),
            note: """
                the whole process, the kernel's own peak; its spool is a file, read in the order of its blocks; \
                \(BenchTable.number(Double(file.bytes) / 1_000_000 / memory.seconds)) MB/s by the clock, writing included
                """)
    }

    private static func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
