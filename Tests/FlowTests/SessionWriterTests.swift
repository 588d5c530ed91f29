import Events
import Testing

@testable import Flow

@Suite("A session writer")
struct SessionWriterTests {
    private func writer(shards: Int = 2, limits: SessionWriter.Limits = .init()) -> SessionWriter {
        SessionWriter(host: "relay", session: 9, from: Position(epoch: 1, seq: 10), shards: shards, limits: limits)
    }

    private func message(_ seq: Int64, frame: Int = 0) -> UpstreamEntry {
        UpstreamEntry(
            host: "", session: 0, n: 0, position: Position(epoch: 1, seq: seq), kind: .commit, did: "did:plc:x",
            frame: [UInt8](repeating: 0, count: frame))
    }

    private func next(_ writer: inout SessionWriter, maxEntries: Int = 1_000) throws -> SessionWriter.Append {
        let append = writer.next(maxEntries: maxEntries)
        return try #require(append)
    }

    private func numbers(_ append: SessionWriter.Append?, _ shard: Shard) -> [Int64] {
        append?.entries.filter { $0.shard == shard }.map(\.entry.n) ?? []
    }

    @Test("opens every shard first, then numbers each shard densely")
    func numbering() {
        var writer = writer()
        writer.take(message(11), shard: 1)
        writer.take(message(12), shard: 1)
        writer.barrier()
        let append = writer.next()
        #expect(append?.entries.map(\.entry.kind) == [.open, .barrier, .open, .commit, .commit, .barrier])
        #expect(numbers(append, 0) == [0, 1])
        #expect(numbers(append, 1) == [0, 1, 2, 3])
        #expect(append?.entries.allSatisfy { $0.entry.session == 9 && $0.entry.host == "relay" } == true)
        #expect(append?.entries.last?.entry.position == Position(epoch: 1, seq: 12))
        let none = writer.next()
        #expect(none == nil)
    }

    @Test("appends again from the first refused entry on, also what was taken behind it")
    func halfRefused() throws {
        var writer = writer(shards: 1)
        for seq: Int64 in 11...13 { writer.take(message(seq), shard: 0) }
        let append = try next(&writer)
        let settled400 = writer.settle(append, .each([true, false, true, true]))
        #expect(!settled400)
        let again = writer.next()
        #expect(numbers(again, 0) == [1, 2, 3])
        #expect(writer.unacknowledgedEntries == 3)
    }

    @Test("appends all of it again where nothing is known, and takes no late answer of an earlier turn")
    func unknown() throws {
        var writer = writer(shards: 1)
        let first = try next(&writer)
        writer.take(message(11), shard: 0)
        let second = try next(&writer)
        let settled554 = writer.settle(first, .unknown)
        #expect(!settled554)
        let settled51 = writer.settle(second, .accepted)
        #expect(settled51, "nothing of it counts any more")
        let again = try next(&writer)
        #expect(numbers(again, 0) == [0, 1])
        let settled25 = writer.settle(again, .accepted)
        #expect(settled25)
        #expect(writer.unacknowledgedEntries == 0)
        #expect(writer.unacknowledgedBytes == 0)
    }

    @Test("knows the last barrier that every shard acknowledged, whatever the order of the answers")
    func hint() throws {
        var writer = writer(shards: 2)
        writer.take(message(11), shard: 0)
        writer.barrier()
        let first = try next(&writer, maxEntries: 3)
        let second = try next(&writer, maxEntries: 3)
        writer.settle(second, .accepted)
        #expect(writer.acknowledgedBarrier == nil)
        writer.settle(first, .accepted)
        #expect(writer.acknowledgedBarrier == Position(epoch: 1, seq: 11))
        writer.passed(Position(epoch: 1, seq: 20))
        writer.barrier()
        #expect(writer.acknowledgedBarrier == Position(epoch: 1, seq: 11))
        let append1 = try next(&writer)
        writer.settle(append1, .accepted)
        #expect(writer.acknowledgedBarrier == Position(epoch: 1, seq: 20))
    }

    @Test("moves a barrier that was never sent instead of gathering them")
    func barriers() throws {
        var writer = writer(shards: 1)
        for seq: Int64 in 20...40 {
            writer.passed(Position(epoch: 1, seq: seq))
            writer.barrier()
        }
        let append = try next(&writer)
        #expect(append.entries.map(\.entry.kind) == [.open, .barrier])
        #expect(append.entries.last?.entry.position.seq == 40)
    }

    @Test("leaves out a shed shard's messages for the rest of the session, and marks its barriers")
    func shed() throws {
        var writer = writer(shards: 2)
        writer.take(message(11), shard: 0)
        writer.shed([0])
        writer.take(message(12), shard: 0)
        writer.take(message(13), shard: 1)
        writer.barrier()
        let append = try next(&writer)
        #expect(append.entries.filter { $0.shard == 0 }.map(\.entry.kind) == [.open, .commit, .barrier])
        #expect(append.entries.filter { $0.entry.kind == .barrier }.map(\.entry.shed) == [true, false])
    }

    @Test("pauses the reader at its bounds in entries or bytes, and lets it go on at half of them")
    func pause() throws {
        var writer = writer(shards: 1, limits: .init(entries: 10, bytes: 10_000))
        for seq: Int64 in 11...18 { writer.take(message(seq), shard: 0) }
        #expect(!writer.mustPause)
        writer.take(message(19), shard: 0)
        #expect(writer.mustPause)
        let append2 = try next(&writer, maxEntries: 4)
        writer.settle(append2, .accepted)
        #expect(writer.mustPause)
        let append3 = try next(&writer, maxEntries: 1)
        writer.settle(append3, .accepted)
        #expect(!writer.mustPause)
        writer.take(message(20, frame: 20_000), shard: 0)
        #expect(writer.mustPause)
    }

    @Test("sends an entry larger than an append's bound alone, and serves shards in turn")
    func bounds() throws {
        var writer = writer(shards: 2)
        let append4 = try next(&writer)
        writer.settle(append4, .accepted)
        writer.take(message(11, frame: 5_000), shard: 0)
        writer.take(message(12, frame: 5_000), shard: 0)
        writer.take(message(13), shard: 1)
        var shards: [[Shard]] = []
        shards.append(writer.next(maxBytes: 1_000)?.entries.map(\.shard) ?? [])
        shards.append(writer.next(maxBytes: 1_000)?.entries.map(\.shard) ?? [])
        shards.append(writer.next(maxBytes: 1_000)?.entries.map(\.shard) ?? [])
        #expect(shards == [[0], [0], [1]])
    }
}
