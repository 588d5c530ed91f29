import ATProto
import Events
import Foundation
import Work

/// What one core does with `#commit` frames, by the code that a worker runs on them, stage by stage.
///
/// Rates are by the processor time of the one thread that works, so that they hold on a machine that does other things too.
enum DecodeBench: BenchPart {
    static let name = "decode"

    enum Broken: Error { case refused(String) }

    static func rows(_ context: BenchContext) async throws -> [BenchRow] { try rows(seconds: context.isFull ? 8 : 2) }

    /// - Parameter seconds: processor time of each figure and of each ceiling.
    static func rows(seconds: Double) throws -> [BenchRow] {
        let curves = try KeyCurve.allCases.map { ($0, try CommitFrames($0)) }
        var rows: [BenchRow] = []
        for (curve, frames) in curves {
            if curve == .k256 { rows.append(try decode(frames, seconds)) }
            rows.append(try verification(curve, frames, seconds))
        }
        return rows
    }

    private static func decode(_ frames: CommitFrames, _ seconds: Double) throws -> BenchRow {
        let blocks = try frames.entries.map { entry in
            var reader = try CARReader(entry.frame, range: CommitMessage(frame: entry.frame).blocks)
            var ranges: [Range<Int>] = []
            while let section = try reader.next() { ranges.append(section.range) }
            return (frame: entry.frame, ranges: ranges)
        }
        let ceiling = try rate(blocks, seconds) { block in
            for range in block.ranges where !DAGCBOR.isCanonical(range, of: block.frame) { throw Broken.refused("a block is not canonical") }
        }
        let figure = try rate(frames.entries, seconds) { entry in
            let contents = try CommitContents(frame: entry.frame)
            let (records, bad) = MessageJudge.records(of: try contents.operations(), in: entry.frame)
            guard records.count == 1, bad.isEmpty, contents.brokenBlocks == 0 else { throw Broken.refused("\(bad)") }
        }
        return BenchRow(
            name: "decode of a #commit to record events", figure: figure, unit: "frames/s", ceiling: ceiling,
            ceilingName: "bare strict walk over the same blocks", bar: .atLeast(200_000),
            note: "frames of \(frames.frameBytes) bytes, every block walked strictly, JSON, nothing hashed, one core")
    }

    private static func verification(_ curve: KeyCurve, _ frames: CommitFrames, _ seconds: Double) throws -> BenchRow {
        let ceiling = try rate(frames.signatures, seconds) { item in
            guard frames.key.verify(signature: item.signature, digest: item.digest) else { throw Broken.refused("a signature does not hold") }
        }
        let judge = MessageJudge(mode: .strict)
        let figure = try rate(frames.entries, seconds) { entry in
            guard case .commit(let parts) = judge.finish(judge.structure(of: entry, now: CommitFrames.now), key: frames.key),
                parts.records.count == 1
            else { throw Broken.refused("frame \(entry.n) is refused") }
        }
        return BenchRow(
            name: "full verification and decode, \(curve.rawValue)", figure: figure, unit: "commits/s", ceiling: ceiling,
            ceilingName: "bare \(curve.rawValue) signature verification", bar: .atLeast(12_000),
            note: "frames of \(frames.frameBytes) bytes, signature, CIDs, inversion, JSON, keys cached, one core")
    }

    /// Items a second of this thread's processor time, after one round that is not counted.
    private static func rate<Item>(_ items: [Item], _ seconds: Double, _ body: (Item) throws -> Void) throws -> Double {
        for item in items { try body(item) }
        let begun = threadSeconds()
        var done = 0
        var elapsed = 0.0
        repeat {
            for item in items { try body(item) }
            done += items.count
            elapsed = threadSeconds() - begun
        } while elapsed < seconds
        return Double(done) / elapsed
    }

    private static func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
