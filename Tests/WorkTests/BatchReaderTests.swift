import Broker
import Events
import Flow
import Ledger
import Testing

@testable import Work

@Suite("Batches of a stream", .timeLimit(.minutes(10))) struct BatchReaderTests {
    private static let frameBytes = 4_000
    private static let share = 64 << 10

    /// Gives a reader of a stream with many entries of about 4 KB, and the room it borrows from.
    private func with(_ room: BatchRoom, entries: Int, patience: Duration, _ body: (BatchReader) async throws -> Void) async throws {
        try await WorkBench.with { bench in
            try await bench.open()
            let frame = [UInt8](repeating: 0xa0, count: Self.frameBytes)
            for seq in 1...entries { bench.take(frame, seq: Int64(seq)) }
            try await bench.append()
            let limits = BatchReader.Limits(
                batch: .init(entries: 500, bytes: 8 << 20, linger: .milliseconds(1)), share: Self.share, patience: patience, reply: 256 << 10)
            try await bench.streams.withReader(of: 0) { reader in
                let start = EntryID(milliseconds: 0, sequence: 0)
                try await body(BatchReader(reader: reader, from: start, limits: limits, room: room, clock: .system))
            }
        }
    }

    private func bytes(_ batch: ReadBatch) -> Int { batch.entries.reduce(0) { $0 + $1.size } }

    @Test("a shard that is behind borrows for a large batch, and gives back what it did not need and then the rest")
    func borrows() async throws {
        let room = BatchRoom(bytes: 16 << 20)
        try await with(room, entries: 400, patience: .seconds(3_600)) { batches in
            let first = try await batches.next()
            #expect(first.loan == nil)
            #expect((1...Self.share).contains(bytes(first)))
            var second = try await batches.next()
            #expect(bytes(second) > 4 * Self.share)
            #expect(second.loan?.bytes == bytes(second))
            #expect(room.free == room.bytes - bytes(second))
            #expect(first.entries.count + second.entries.count >= 400)
            second = ReadBatch()
            #expect(room.free == room.bytes)
        }
    }

    @Test("where no room comes free it goes on within its share, and reads everything once and in order")
    func withoutRoom() async throws {
        let room = BatchRoom(bytes: 1 << 20)
        let lent = await room.loan(1 << 20, patience: .zero)
        try await with(room, entries: 100, patience: .zero) { batches in
            var ids: [EntryID] = []
            while true {
                let batch = try await batches.next()
                if batch.entries.isEmpty { break }
                #expect(batch.loan == nil)
                // The mean of what was read decides, so one batch may be a little above.
                #expect(bytes(batch) <= Self.share * 5 / 4)
                ids += batch.entries.map(\.id)
            }
            #expect(ids.count >= 100)
            #expect(ids == Set(ids).sorted())
        }
        #expect(lent?.bytes == 1 << 20)
    }
}
