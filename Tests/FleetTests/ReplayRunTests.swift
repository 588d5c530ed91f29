import Events
import Foundation
import Ledger
import Outbox
import PostgresClient
import Synchronization
import TestSupport
import Testing

@testable import Fleet

@Suite(.timeLimit(.minutes(10))) struct ReplayRunTests {
    private struct Broken: Error {}

    /// Keeps what it gets; may fail once at a seq, before it takes it.
    private final class MemorySink: ReplaySink {
        private let state = Mutex((seqs: [Int64](), settled: 0, failsAt: Int64?.none))

        init(failsAt: Int64? = nil) { state.withLock { $0.failsAt = failsAt } }

        var seqs: [Int64] { state.withLock { $0.seqs } }
        var settled: Int { state.withLock { $0.settled } }

        func deliver(_ events: [LogEvent]) async throws {
            try state.withLock { state in
                if let at = state.failsAt, events.contains(where: { $0.seq == at }) {
                    state.failsAt = nil
                    throw Broken()
                }
                state.seqs += events.map(\.seq)
            }
        }

        func settle() async throws { state.withLock { $0.settled += 1 } }
    }

    private func with(_ count: Int, _ body: (Ledger, RunID, PostgresPool) async throws -> Void) async throws {
        try await RealStores.with { stores in
            let pool = try await SharedServers.pool(schema: stores.ledger.schema, name: "replay-look")
            let run = try #require(RunID("jobs/1"))
            _ = try await stores.ledger.createRun(run, kind: "job", sinks: [])
            for start in stride(from: 0, to: count, by: 1000) {
                let events = (start..<min(start + 1000, count)).map {
                    LogEvent(
                        run: run, seq: 0, kind: .record, did: "did:plc:\($0 % 2)", collection: "a.b", rkey: "\($0)", action: .create,
                        body: Array("{}".utf8))
                }
                _ = try await stores.ledger.append(events, run: run)
            }
            try await body(stores.ledger, run, pool)
            await pool.close()
        }
    }

    private let owner = WorkerID("replay-test")

    @Test("a stretch is delivered in order, told in a run of its own with a checkpoint each thousand, and ended")
    func whole() async throws {
        try await with(3300) { ledger, run, _ in
            let sink = MemorySink()
            let replay = try await ledger.createReplay(source: run, range: 101...3200, sink: "file", owner: owner)
            #expect(replay.run.description.hasPrefix("replay/"))
            let end = try await ReplayRun(ledger: ledger, sink: sink, batch: 300).run(replay)
            #expect(sink.seqs == Array(101...3200))
            #expect(end.replay.checkpoint == 3200)
            #expect(end.replay.delivered == 3100)
            let told = try await ledger.events(run: replay.run, after: 0, limit: 100, maxBytes: 1 << 20)
            #expect(told.map(\.kind) == [.progress, .progress, .progress, .terminal])
            let bodies = told.map { String(decoding: $0.body, as: UTF8.self) }
            #expect(bodies[0].contains(#""source":"jobs/1","sink":"file","from":101,"to":3200,"checkpoint":1300,"delivered":1200"#))
            #expect(bodies[1].contains(#""checkpoint":2500"#))
            #expect(bodies[2].contains(#""checkpoint":3200"#))
            #expect(sink.settled == 3)
            #expect(try await ledger.run(replay.run)?.state == .finished)
            #expect(try await ledger.takeReplay(replay.run, owner: owner) == nil)
        }
    }

    @Test("one that failed goes on behind its last checkpoint: nothing is missing, and whoever had it before can write no more")
    func resumed() async throws {
        try await with(4000) { ledger, run, _ in
            let sink = MemorySink(failsAt: 2750)
            let replay = try await ledger.createReplay(source: run, range: 1...4000, sink: "file", owner: owner)
            await #expect(throws: Broken.self) { try await ReplayRun(ledger: ledger, sink: sink, batch: 250).run(replay) }
            #expect(try await ledger.run(replay.run)?.state == .started)
            let again = try #require(try await ledger.takeReplay(replay.run, owner: WorkerID("another")))
            #expect(again.checkpoint == 2000)
            #expect(again.delivered == 2000)
            let before = sink.seqs.count
            _ = try await ReplayRun(ledger: ledger, sink: sink, batch: 250).run(again)
            #expect(Array(sink.seqs[before...]) == Array(2001...4000))
            #expect(Set(sink.seqs) == Set(1...4000))
            var late = replay
            late.checkpoint = 4000
            await #expect { try await ledger.checkpoint(late, progress: []) } throws: { ($0 as? LedgerError)?.code == .fenced }
        }
    }

    /// Hands the replay to another process when it gets a seq.
    private struct TakenSink: ReplaySink {
        let ledger: Ledger
        let replay: RunID
        let takenAt: Int64
        let taken: @Sendable (ReplayRecord?) -> Void

        func deliver(_ events: [LogEvent]) async throws {
            guard events.contains(where: { $0.seq == takenAt }) else { return }
            taken(try await ledger.takeReplay(replay, owner: WorkerID("another")))
        }

        func settle() async throws {}
    }

    @Test("one replay that two run at once: the first is told at its next checkpoint that another has it, and writes nothing more")
    func twice() async throws {
        try await with(4000) { ledger, run, _ in
            let replay = try await ledger.createReplay(source: run, range: 1...4000, sink: "file", owner: owner)
            let (records, record) = AsyncStream<ReplayRecord?>.makeStream()
            let first = TakenSink(ledger: ledger, replay: replay.run, takenAt: 1500) { record.yield($0) }
            await #expect {
                try await ReplayRun(ledger: ledger, sink: first, batch: 250).run(replay)
            } throws: {
                ($0 as? LedgerError)?.code == .fenced
            }
            var taken = records.makeAsyncIterator()
            let second = try #require(await taken.next().flatMap { $0 })
            #expect(second.checkpoint == 1000)
            let sink = MemorySink()
            let end = try await ReplayRun(ledger: ledger, sink: sink, batch: 250).run(second)
            #expect(sink.seqs == Array(1001...4000) && end.replay.delivered == 4000)
            let told = try await ledger.events(run: replay.run, after: 0, limit: 100, maxBytes: 1 << 20)
            #expect(told.map(\.kind) == [.progress, .progress, .progress, .progress, .progress, .terminal])
            #expect(try await ledger.takeReplay(replay.run, owner: owner) == nil)
            await #expect { try await ReplayRun(ledger: ledger, sink: sink).run(replay) } throws: { ($0 as? LedgerError)?.code == .fenced }
        }
    }

    @Test("it ends in front of a seq that the log lacks, tells the gap, and its checkpoint does not pass it")
    func gap() async throws {
        try await with(3000) { ledger, run, pool in
            try await pool.execute("DELETE FROM run_events WHERE seq BETWEEN 1501 AND 1777 AND run = (SELECT no FROM runs WHERE id = 'jobs/1')")
            let sink = MemorySink()
            let replay = try await ledger.createReplay(source: run, range: 1...3000, sink: "file", owner: owner)
            let end = try await ReplayRun(ledger: ledger, sink: sink, batch: 400).run(replay)
            #expect(end.gap == 1501...1777)
            #expect(sink.seqs == Array(1...1500))
            #expect(end.replay.checkpoint == 1500)
            #expect(try await ledger.run(replay.run)?.state == .failed)
            let told = try await ledger.events(run: replay.run, after: 0, limit: 100, maxBytes: 1 << 20)
            #expect(told.dropLast().last.map { String(decoding: $0.body, as: UTF8.self).contains(#""gap":{"from":1501,"to":1777}"#) } == true)
            let rest = try await ledger.createReplay(source: run, range: 1778...3000, sink: "file", owner: owner)
            #expect(try await ReplayRun(ledger: ledger, sink: sink).run(rest).gap == nil)
            #expect(sink.seqs.count == 1500 + 1223)
            try await pool.execute("DELETE FROM run_events WHERE seq > 2900 AND run = (SELECT no FROM runs WHERE id = 'jobs/1')")
            let tail = try await ledger.createReplay(source: run, range: 2801...3000, sink: "file", owner: owner)
            #expect(try await ReplayRun(ledger: ledger, sink: sink).run(tail).gap == 2901...3000)
        }
    }

    @Test("a filter leaves events out and no checkpoint behind; a cancelled one writes where it stands and can go on")
    func cancelled() async throws {
        try await with(2600) { ledger, run, _ in
            let filter = try EventFilter(dids: ["did:plc:1"])
            let sink = MemorySink()
            let replay = try await ledger.createReplay(source: run, range: 1...2600, sink: "file", owner: owner)
            let (ticks, tick) = AsyncStream<Void>.makeStream()
            let task = Task {
                try await ReplayRun(ledger: ledger, sink: sink, filter: filter, batch: 100).run(replay) { _ in
                    tick.yield()
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            for await _ in ticks { break }
            await #expect(throws: CancellationError.self) { try await task.value }
            let again = try #require(try await ledger.takeReplay(replay.run, owner: owner))
            #expect(again.checkpoint == 1000)
            let end = try await ReplayRun(ledger: ledger, sink: sink, filter: filter).run(again)
            #expect(sink.seqs == Array(1...2600).filter { $0 % 2 == 0 })
            #expect(end.replay.delivered == 1300)
        }
    }

    @Test("a sink of the registry gets the stretch in its own form and by its own filter, and its cursor stays")
    func registered() async throws {
        try await with(1500) { ledger, run, pool in
            let path = try TestFolder.make("replay") + "/out.ndjson"
            let name = try #require(SinkName("archive"))
            let settings = try SinkSettings([
                SinkSettings.Setting("kind", ["file"]), SinkSettings.Setting("path", [path]), SinkSettings.Setting("format", ["tap"]),
                SinkSettings.Setting("filter.dids", ["did:plc:1"]), SinkSettings.Setting("batch.events", ["70"]),
            ])
            _ = try await ledger.storeSink(SinkDefinition(name: name, settings: settings), origin: .api)
            let cursor = try await ledger.run(run)?.nextSeq["archive"]
            let configuration = try FleetConfiguration.load(
                file: nil,
                environment: [
                    "WEIR_POSTGRES_URL": try await SharedServers.postgresURL(), "WEIR_REDIS_URL": try await SharedServers.redisURL(),
                    "WEIR_POSTGRES_SCHEMA": ledger.schema,
                ], flags: [])
            let end = try await Replays.run(
                .begin(run, from: 101, to: 1400), configuration: configuration, target: .registered(name), filter: .all,
                log: SharedServers.quietLogger, begun: { _ in }, progress: { _ in })
            #expect(end.replay.checkpoint == 1400)
            #expect(end.replay.sink == "archive")
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(lines.count == 650)
            #expect(lines.first?.hasPrefix(#"{"id":102,"type":"record""#) == true)
            #expect(lines.last?.hasPrefix(#"{"id":1400,"#) == true)
            #expect(try await ledger.run(run)?.nextSeq["archive"] == cursor)
            let unknown = try #require(SinkName("nobody"))
            await #expect {
                _ = try await Replays.run(
                    .begin(run, from: nil, to: nil), configuration: configuration, target: .registered(unknown), filter: .all,
                    log: SharedServers.quietLogger, begun: { _ in }, progress: { _ in })
            } throws: { "\($0)".contains("there is no sink nobody") }
        }
    }

    @Test("a writer that fails for a while is tried again, and one that refuses ends it where it can go on")
    func writers() async throws {
        try await with(300) { ledger, run, _ in
            let name = try #require(SinkName("hook"))
            let settings = try SinkSettings([
                SinkSettings.Setting("kind", ["stdout"]), SinkSettings.Setting("attempts", ["3"]), SinkSettings.Setting("batch.events", ["100"]),
                SinkSettings.Setting("retry.cap", ["10ms"]),
            ])
            let definition = try SinkDefinition(name: name, settings: settings)
            let flaky = ScriptedWriter([.transient(retryAfter: nil), .transient(retryAfter: nil), nil, nil, nil])
            let replay = try await ledger.createReplay(source: run, range: 1...300, sink: "hook", owner: owner)
            _ = try await ReplayRun(ledger: ledger, sink: RegisteredSinkTarget(definition: definition, writer: flaky)).run(replay)
            #expect(flaky.seqs == Array(1...300))
            let broken = ScriptedWriter([nil, .poison])
            let again = try await ledger.createReplay(source: run, range: 1...300, sink: "hook", owner: owner)
            await #expect {
                _ = try await ReplayRun(ledger: ledger, sink: RegisteredSinkTarget(definition: definition, writer: broken)).run(again)
            } throws: { "\($0)".contains("sink hook did not take 101 to 200 of jobs/1") }
            #expect(try await ledger.takeReplay(again.run, owner: owner) != nil)
        }
    }

    /// Answers as it was told, then takes everything.
    private final class ScriptedWriter: SinkWriter {
        private let state: Mutex<(answers: [DeliveryError.Code?], seqs: [Int64])>

        init(_ answers: [DeliveryError.Code?]) { state = Mutex((answers, [])) }

        var seqs: [Int64] { state.withLock { $0.seqs } }

        func deliver(_ batch: SinkBatch) async throws(DeliveryError) {
            let answer: DeliveryError.Code? = state.withLock { state in
                let answer = state.answers.isEmpty ? nil : state.answers.removeFirst()
                if answer == nil { state.seqs += batch.items.map(\.event.seq) }
                return answer
            }
            if let answer { throw DeliveryError(answer, "as told") }
        }

        func close() async {}
    }

    @Test("lines of JSON are appended to a file; one that cannot be written is told")
    func file() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-replay-\(UInt32.random(in: 0...(.max)))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("out.ndjson").path
        for seq in [1, 2] as [Int64] {
            let sink = try NDJSONSink(appendingTo: path, format: .tap)
            try await sink.deliver([
                LogEvent(run: .firehose(0), seq: seq, kind: .record, did: "did:plc:a"),
                LogEvent(run: .firehose(0), seq: seq, kind: .sync, did: "did:plc:a"),
            ])
            try await sink.settle()
        }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.map { $0.prefix(7) } == [#"{"id":1"#, #"{"id":2"#, ""])
        #expect { try NDJSONSink(appendingTo: folder.path, format: .weir) } throws: { "\($0)".contains("cannot write to") }
    }
}
