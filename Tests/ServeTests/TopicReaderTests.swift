import Broker
import Events
import Flow
import Logging
import Synchronization
import Testing

@testable import Serve

@Suite("The reader of followed runs", .timeLimit(.minutes(10)))
struct TopicReaderTests {
    private struct Read {
        var runs: Set<RunID>
        var count: Int
        var waits: Bool
    }

    /// Outlets whose followers say what they are asked.
    private final class Outlet: OutletReader, OutletFollowing {
        let streams = MemoryOutletStreams()
        private let follower = Mutex<(any OutletFollowing)?>(nil)
        private let asked = Mutex<[Read]>([])

        var reads: [Read] { asked.withLock { $0 } }

        func read(run: RunID, after: Int64, count: Int) async throws(BrokerError) -> [Events.LogEvent] {
            try await streams.read(run: run, after: after, count: count)
        }

        func withFollower(_ body: (any OutletFollowing) async throws -> Void) async throws {
            try await streams.withFollower { inner in
                follower.withLock { $0 = inner }
                try await body(self)
            }
        }

        func read(after: [RunID: Int64], countPerRun: Int, block: Duration) async throws(BrokerError) -> [RunID: [Events.LogEvent]] {
            asked.withLock { $0.append(Read(runs: Set(after.keys), count: countPerRun, waits: block > .zero)) }
            return try await follower.withLock { $0 }?.read(after: after, countPerRun: countPerRun, block: block) ?? [:]
        }
    }

    @Test("a run in which much came is read on at once, by itself and with all of the room, in turn with all of them")
    func burst() async throws {
        let outlet = Outlet()
        let runs = (0..<8).map { RunID.firehose($0) }
        let board = TopicBoard(limits: .init(events: 1_000, bytes: 1 << 20), bytesOfAll: 8 << 20, keepIdle: .seconds(60))
        let topics = runs.map(board.join)
        for topic in topics { #expect(topic.activate(at: 0)) }
        for run in runs { await outlet.streams.publish(testEvents(run, count: run == runs[3] ? 300 : 1)) }
        let reader = TopicReader(
            board: board, reader: LogReader(store: MemoryLog(), outlet: outlet, sink: "outlet"), heartbeatEvery: .seconds(3_600),
            block: .seconds(3_600), coalesce: .seconds(3_600), bytesMax: 64 << 10, retry: .init(base: .seconds(1), cap: .seconds(1)),
            metrics: StreamMetrics(factory: PrometheusMetrics()), logger: Logger(label: "test"))
        let (news, told) = AsyncStream<Set<RunID>>.makeStream()
        let reading = Task { await reader.run { told.yield($0) } }
        // It would rest for an hour behind a read that left nothing: none of these does.
        for await _ in news where topics[3].tip == 300 { break }
        reading.cancel()
        #expect(topics.map(\.tip) == [1, 1, 1, 300, 1, 1, 1, 1])
        let reads = outlet.reads
        #expect(reads.count < 16, "\(reads)")
        for (index, read) in reads.enumerated() {
            #expect(read.runs == (index.isMultiple(of: 2) ? Set(runs) : [runs[3]]))
            #expect(read.waits == index.isMultiple(of: 2))
            if !index.isMultiple(of: 2) { #expect(read.count > reads[index - 1].count * 4) }
        }
        await reading.value
    }
}
