import Events
import Testing

@testable import Flow

@Suite("Batches, counts, trims and watermarks")
struct BatchTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(sinceStart: .milliseconds(milliseconds)) }

    @Test("a batch waits its linger for more, and closes at its bounds at once")
    func linger() {
        var batch = BatchBuilder(limits: .init(entries: 10, bytes: 100, linger: .milliseconds(20)))
        #expect(batch.step(at: at(0)) == .idle)
        batch.read(entries: 0, bytes: 0, at: at(0))
        #expect(batch.step(at: at(0)) == .idle)
        batch.read(entries: 3, bytes: 30, at: at(5))
        #expect(batch.step(at: at(10)) == .more(within: .milliseconds(15)))
        batch.read(entries: 3, bytes: 30, at: at(12))
        #expect(batch.step(at: at(25)) == .close)
        batch.closed()
        #expect(batch.step(at: at(25)) == .idle)
        batch.read(entries: 1, bytes: 100, at: at(30))
        #expect(batch.step(at: at(30)) == .close)
        batch.closed()
        batch.read(entries: 10, bytes: 1, at: at(40))
        #expect(batch.step(at: at(40)) == .close)
    }

    @Test("a count follows the entries' size: down at once, up slowly, always at least one")
    func count() {
        var count = AdaptiveCount(targetBytes: 1_000_000, maxCount: 500, expectedEntryBytes: 10_000)
        #expect(count.count == 100)
        count.read(entries: 10, bytes: 20_000_000)
        #expect(count.count == 1)
        for _ in 0..<200 { count.read(entries: 1, bytes: 1_000) }
        #expect(count.count == 500)
        count.read(entries: 0, bytes: 0)
        #expect(count.count == 500)
    }

    @Test("a trim keeps the last entries", arguments: [0, 1, 3])
    func trim(kept: Int) {
        var tail = TrimTail(kept: kept)
        #expect(tail.minID == nil)
        let ids = (1...10).map { EntryID(milliseconds: UInt64($0), sequence: 0) }
        tail.committed(ids.prefix(kept))
        #expect(tail.minID == nil)
        tail.committed(ids.dropFirst(kept))
        let minID = tail.minID ?? .zero
        #expect(ids.filter { $0 >= minID }.count == kept)
        tail.committed([ids[0]])
        #expect(tail.minID == minID, "an older id changes nothing")
    }

    @Test("the safe cursor is the least of all shards, a shard without a watermark counts as the baseline")
    func watermarks() {
        var set = WatermarkSet(baseline: Position(epoch: 1, seq: 5), shards: 3)
        set.raise(0, to: Position(epoch: 1, seq: 90))
        set.raise(1, to: Position(epoch: 2, seq: 1))
        #expect(set.safeCursor == Position(epoch: 1, seq: 5))
        #expect(set.slowest == 2)
        set.raise(2, to: Position(epoch: 1, seq: 95))
        #expect(set.safeCursor == Position(epoch: 1, seq: 90))
        set.raise(0, to: Position(epoch: 1, seq: 10))
        #expect(set.safeCursor == Position(epoch: 1, seq: 90))
    }
}
