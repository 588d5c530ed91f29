import Broker
import Events
import Flow
import Logging
import ServiceLifecycle
import Testing

@testable import Ledger
@testable import Outbox

@Suite(.timeLimit(.minutes(10))) struct PublisherServiceTests {
    private let store = MemoryOutbox()
    private let outlet = MemoryOutlet()

    private var configuration: PublisherConfiguration {
        var configuration = PublisherConfiguration()
        configuration.retry.base = .milliseconds(1)
        // The store in memory lets no lease run out: one that its owner gives up in a long pause would stay taken.
        configuration.leaseTTL = .seconds(60)
        configuration.batchEvents = 7
        return configuration
    }

    /// Runs publishers beside the body, and stops them gracefully.
    private func publishing(_ count: Int = 1, _ body: () async throws -> Void) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let services = (0..<count).map { index in
            PublisherService(configuration: configuration, store: store, outlet: outlet, worker: WorkerID("test-\(index)"), logger: logger)
        }
        let group = ServiceGroup(services: services, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func run(_ text: String) throws -> RunID { try #require(RunID(text)) }

    @Test("events go out in order, once, over several batches")
    func inOrder() async throws {
        let run = try run("a/1")
        await store.append(run, count: 50)
        try await publishing {
            await store.reached { $0[run]?.nextSeq == 51 }
            await store.append(run, count: 5)
            await store.reached { $0[run]?.nextSeq == 56 }
        }
        #expect(await outlet.streams[run] == Array(1...55))
        #expect(await outlet.refusals == 0)
    }

    @Test("a crash between publish and mark leaves no copy: the repeat is refused and the cursor moves on")
    func crashBeforeMark() async throws {
        let run = try run("a/1")
        await store.append(run, count: 20)
        await store.failMarks(2)
        try await publishing { await store.reached { $0[run]?.nextSeq == 21 } }
        #expect(await outlet.streams[run] == Array(1...20))
        #expect(await outlet.refusals == 14)
        #expect(await outlet.deletions == 0)
    }

    @Test("two publishers share the runs, and each event goes out once")
    func twoPublishers() async throws {
        let runs = try (1...20).map { try run("run/\($0)") }
        for run in runs { await store.append(run, count: 30) }
        try await publishing(2) { await store.reached { rows in runs.allSatisfy { rows[$0]?.nextSeq == 31 } } }
        for run in runs { #expect(await outlet.streams[run] == Array(1...30)) }
        #expect(await outlet.refusals == 0)
    }

    @Test("a top id above the run's last seq is foreign: the outlet is deleted and goes on from the cursor")
    func foreignTop() async throws {
        let run = try run("a/1")
        await outlet.addForeign(run, id: 1_700_000_000_000)
        await store.append(run, count: 5)
        try await publishing { await store.reached { $0[run]?.nextSeq == 6 } }
        #expect(await outlet.streams[run] == Array(1...5))
        #expect(await outlet.deletions == 1)
    }

    @Test("a Redis that fills makes outlets keep less, and one that is full has the outlet trimmed before the batch is tried again")
    func fullRedis() async throws {
        let run = try run("a/1")
        await outlet.fill(90)
        await outlet.fail(1, .outOfMemory)
        await store.append(run, count: 20)
        try await publishing { await store.reached { $0[run]?.nextSeq == 21 } }
        #expect(await outlet.streams[run] == Array(1...20))
        #expect(await outlet.trims == [12_000])
        let keeps = await outlet.keeps
        #expect(!keeps.isEmpty && keeps.allSatisfy { $0 <= 12_000 })
    }

    @Test("an append whose notification is lost costs one poll")
    func lostNotification() async throws {
        let run = try run("a/1")
        await store.append(run, count: 1)
        try await publishing {
            await store.reached { $0[run]?.nextSeq == 2 }
            for seq in 2...5 as ClosedRange<Int64> {
                await store.append(run, count: 1, notifies: false)
                await store.reached { $0[run]?.nextSeq == seq + 1 }
            }
        }
        #expect(await outlet.streams[run] == Array(1...5))
    }

    @Test("51 finished runs in front of a new one do not hide it")
    func finishedRuns() async throws {
        for index in 1...51 { await store.append(try run("old/\(index)"), count: 3) }
        try await publishing {
            await store.reached { rows in rows.count == 51 && rows.values.allSatisfy { $0.nextSeq == 4 } }
            let new = try run("zzz/new")
            await store.append(new, count: 2)
            await store.reached { $0[new]?.nextSeq == 3 }
        }
    }

    @Test("a gap stops that run at its last good seq, and no other")
    func gap() async throws {
        let (broken, well) = (try run("a/broken"), try run("a/well"))
        await store.append(broken, count: 10, missing: [4])
        await store.append(well, count: 10)
        try await publishing { await store.reached { $0[broken]?.isHalted == true && $0[well]?.nextSeq == 11 } }
        #expect(await outlet.streams[broken] == [1, 2, 3])
        #expect(await store.rows[broken]?.nextSeq == 4)
        #expect(await store.rows[broken]?.error?.contains("lacks seq 4 (last good 3, next found 5)") == true)
    }

    @Test("a run that cannot be published is given back with its error, and tried again")
    func failure() async throws {
        let run = try run("a/1")
        await outlet.fail(3)
        await store.append(run, count: 3)
        try await publishing { await store.reached { $0[run]?.nextSeq == 4 } }
        #expect(await store.rows[run]?.error?.contains("unavailable") == true)
        #expect(await outlet.streams[run] == [1, 2, 3])
    }
}
