import Events
import Flow
import PostgresClient
import TestSupport
import Testing

@testable import Ledger
@testable import Outbox

@Suite(.timeLimit(.minutes(10))) struct SinkServiceTests {
    private func hook(_ receiver: WebhookReceiver, _ more: [String: String] = [:]) -> [String: String] {
        ["kind": "webhook", "url": receiver.url, "timeout": "500ms", "breaker.failures": "2"].merging(more) { $1 }
    }

    @Test("one of five sinks is down: it backs off and says why; the others deliver as if it were not there; mended, it catches up")
    func oneDown() async throws {
        try await SinkLab.with { lab in
            let isUp = Flag()
            try await WebhookReceiver.with({ _, _ in isUp.isSet ? .status(200) : .hang }) { down in
                try await WebhookReceiver.with { well in
                    let bad = try await lab.add("bad", hook(down))
                    let others = [
                        try await lab.add("hook", hook(well)),
                        try await lab.add("file", ["kind": "file", "path": "f"]),
                        try await lab.add("rows", ["kind": "postgres", "table": "\(lab.schema).rows"]),
                        try await lab.add("state", ["kind": "postgres", "table": "\(lab.schema).state", "mode": "upsert"]),
                    ]
                    try await lab.running([lab.service("a"), lab.service("b")]) {
                        try await lab.append("app/0", 5)
                        try await lab.reached("backing off") { try await lab.consumers(bad).contains { $0.report.state == "backing_off" } }
                        for number in 1...20 {
                            try await lab.append("app/\(number)", 10)
                            for sink in others { try await lab.waitUntilDelivered(sink) }
                        }
                        for sink in others {
                            try await lab.reached("\(sink) is healthy") {
                                let states = try await lab.consumers(sink).map(\.report.state)
                                return states == ["healthy", "healthy"]
                            }
                        }
                        let view = try #require(try await lab.ledger.sinkViews(bad).first)
                        #expect(view.progress.backlog == 205 && view.progress.lagMs > 0)
                        let report = try #require(view.consumers.first { $0.report.state == "backing_off" }?.report)
                        #expect(report.error?.isEmpty == false && report.failures > 0 && report.breaker != "closed")
                        isUp.set()
                        try await lab.waitUntilDelivered(bad)
                        try await lab.reached("it is well again") { try await lab.consumers(bad).allSatisfy { $0.report.state != "backing_off" } }
                    }
                    for (run, events) in try await lab.log() {
                        #expect(well.taken[run.description] == events.map(\.seq))
                        #expect(Set(down.taken[run.description] ?? []) == Set(events.map(\.seq)))
                    }
                }
            }
        }
    }

    @Test("sinks are added, changed, removed and renamed while events come; each that there is has all, and none is registered late")
    func changes() async throws {
        try await SinkLab.with { lab in
            try await lab.running([lab.service("a"), lab.service("b")]) {
                try await lab.append("app/1", 20)
                let first = try await lab.add("first", ["kind": "postgres", "table": "\(lab.schema).first"])
                try await lab.waitUntilDelivered(first)
                #expect(try await lab.consumers(first).count > 0)
                // Renamed: another sink, with cursors of its own.
                #expect(try await lab.ledger.removeSink(first))
                let second = try await lab.add("second", ["kind": "postgres", "table": "\(lab.schema).second"])
                try await lab.append("app/2", 20)
                try await lab.waitUntilDelivered(second)
                // Changed: it goes on where it stood.
                try await lab.add("second", ["kind": "postgres", "table": "\(lab.schema).third"])
                // What comes before a worker has looked still goes where it went.
                try await lab.reached("both workers run what it is now") { try await lab.consumers(second).map(\.report.generation) == [2, 2] }
                try await lab.append("app/1", 20)
                try await lab.waitUntilDelivered(second)
                try await lab.reached("the first is nowhere") {
                    try await lab.ledger.pool.query("SELECT FROM sink_consumers WHERE sink = 'first'").isEmpty
                }
            }
            func count(_ table: String) async throws -> Int64 {
                try await lab.ledger.pool.query("SELECT count(*) FROM \(table)")[0].value(0)
            }
            #expect(try await count("first") == 20)
            #expect(try await count("second") == 40)
            #expect(try await count("third") == 20)
        }
    }

    @Test("paused, a sink takes nothing and says so; resumed, it goes on without a hole or a repeat")
    func pause() async throws {
        try await SinkLab.with { lab in
            try await WebhookReceiver.with { receiver in
                let sink = try await lab.add("hook", hook(receiver))
                let other = try await lab.add("file", ["kind": "file", "path": "f"])
                try await lab.append("app/1", 10)
                try await lab.running([lab.service("a")]) {
                    try await lab.waitUntilDelivered(sink)
                    #expect(try await lab.ledger.setSink(sink, .paused))
                    try await lab.reached("it is paused") { try await lab.consumers(sink).first?.report.state == "paused" }
                    try await lab.append("app/1", 10)
                    try await lab.waitUntilDelivered(other)
                    #expect(receiver.taken["app/1"] == Array(1...10))
                    #expect(try await lab.ledger.setSink(sink, .running))
                    try await lab.waitUntilDelivered(sink)
                }
                #expect(receiver.taken["app/1"] == Array(1...20))
            }
        }
    }

    @Test("after a restart of everything the sinks that stand in Postgres only are registered before their first batch, and go on")
    func restart() async throws {
        try await SinkLab.with { lab in
            let sink = try await lab.add("rows", ["kind": "postgres", "table": "\(lab.schema).rows"])
            try await lab.append("app/1", 10)
            try await lab.running([lab.service("a")]) { try await lab.waitUntilDelivered(sink) }
            #expect(try await lab.consumers(sink).isEmpty, "a worker that ended in order leaves no row")
            try await lab.append("app/1", 10)
            let seen = SeenRegistrations()
            let writers = RegistrationWriters(real: lab.writers(WorkerID("w")), seen: seen) { try await lab.consumers(sink).count }
            try await lab.running([lab.service("b", writers: writers)]) { try await lab.waitUntilDelivered(sink) }
            #expect(await seen.counts.allSatisfy { $0 == 1 })
            #expect(await !seen.counts.isEmpty)
            #expect(try await lab.ledger.pool.query("SELECT count(*) FROM rows")[0].value(0, as: Int64.self) == 20)
        }
    }

    @Test("sinks of the configuration are written to the registry, changed with it, and removed when it has them no more; those of the API stay")
    func configuration() async throws {
        try await SinkLab.with { lab in
            let api = try await lab.add("api", ["kind": "file", "path": "api"])
            try await lab.append("app/1", 5)
            func run(_ sinks: [SinkDefinition]?, _ expected: [String]) async throws {
                var configuration = lab.configuration
                configuration.configured = sinks
                try await lab.running([lab.service("a", configuration)]) {
                    try await lab.reached("\(expected) are registered") {
                        try await lab.ledger.sinks().map(\.name.description) == expected
                    }
                    for sink in try await lab.ledger.sinks() { try await lab.waitUntilDelivered(sink.name) }
                }
            }
            try await run(
                [lab.definition("one", ["kind": "file", "path": "1"]), lab.definition("two", ["kind": "file", "path": "2"])], ["api", "one", "two"])
            try await run([lab.definition("two", ["kind": "file", "path": "3"])], ["api", "two"])
            try await run(nil, ["api", "two"])
            try await run([], ["api"])
            try await run([lab.definition("two", ["kind": "file", "path": "4"])], ["api", "two"])
            #expect(try await lab.ledger.sink(api)?.generation == 1)
            #expect(try await lab.ledger.sinks().last?.generation == 1, "it is another sink than the one that was removed")
        }
    }

    @Test(
        "an endpoint that is not there or does not know us is tried again behind its breaker, says so, and makes no poison",
        arguments: [401, 403, 404, 410])
    func endpointsFault(_ status: Int) async throws {
        try await SinkLab.with { lab in
            let isUp = Flag()
            try await WebhookReceiver.with({ _, _ in .status(isUp.isSet ? 200 : status) }) { receiver in
                let sink = try await lab.add("hook", hook(receiver, ["attempts": "1", "policy": "dead-letter", "breaker.recovery": "200ms"]))
                try await lab.append("app/1", 10)
                try await lab.running([lab.service("a")]) {
                    try await lab.reached("backing off") {
                        let report = try await lab.consumers(sink).first?.report
                        return report?.state == "backing_off" && report?.error?.contains("HTTP \(status)") == true
                    }
                    isUp.set()
                    try await lab.waitUntilDelivered(sink)
                }
                #expect(try await lab.ledger.deadLetters(sink: sink, withSkipped: true, before: nil, limit: 9).isEmpty)
                #expect(receiver.taken["app/1"] == Array(1...10))
                #expect(receiver.calls.allSatisfy { $0.seqs.count == 10 }, "batches were cut as if for poison")
            }
        }
    }

    @Test("a letter that is requeued while the target is down is delivered soon after it is up, not when its claim runs out")
    func requeuedWhileDown() async throws {
        try await SinkLab.with { lab in
            let (isMended, isUp) = (Flag(), Flag())
            isUp.set()
            try await WebhookReceiver.with({ call, _ in
                !isUp.isSet ? .status(503) : .status(call.seqs.contains(3) && !isMended.isSet ? 422 : 200)
            }) { receiver in
                // A claim of twenty letters is kept for twenty times as long.
                let sink = try await lab.add("hook", hook(receiver, ["attempts": "1", "policy": "dead-letter", "timeout": "60s"]))
                try await lab.append("app/1", 5)
                try await lab.running([lab.service("a")]) {
                    try await lab.waitUntilDelivered(sink)
                    let letter = try #require(try await lab.ledger.deadLetters(sink: sink, withSkipped: false, before: nil, limit: 1).first)
                    isUp.set(false)
                    isMended.set()
                    let calls = receiver.calls.count
                    #expect(try await lab.ledger.requeueLetter(letter.id))
                    try await lab.reached("it was offered") { receiver.calls.count > calls }
                    isUp.set()
                    try await lab.reached("delivered") { try await lab.ledger.deadLetter(letter.id) == nil }
                }
                #expect(receiver.taken["app/1"] == [1, 2, 4, 5, 3])
            }
        }
    }

    @Test("a gap in the log halts that run in each sink by itself, with the seq; what is before it goes out, and other runs do too")
    func gap() async throws {
        try await SinkLab.with { lab in
            try await WebhookReceiver.with { receiver in
                let broken = try await lab.append("app/broken", 20)
                let well = try await lab.append("app/well", 20)
                try await lab.ledger.pool.execute(
                    "DELETE FROM run_events e USING runs r WHERE r.id = 'app/broken' AND e.run = r.no AND e.seq = 12")
                let sink = try await lab.add("hook", hook(receiver))
                try await lab.running([lab.service("a")]) {
                    try await lab.reached("it halts") { try await lab.ledger.sinkProgress([sink])[sink]?.haltedRuns == 1 }
                    try await lab.reached("the other is delivered") { try await lab.ledger.run(well)?.nextSeq["hook"] == 21 }
                }
                #expect(receiver.taken[broken.description] == Array(1...11))
                let progress = try #require(try await lab.ledger.sinkProgress([sink])[sink])
                #expect(progress.haltedRun == "app/broken" && progress.haltedReason == "the log lacks seq 12 (last good 11, next found 13)")
            }
        }
    }

    @Test("what the filter leaves out moves the cursor without a delivery; a rate keeps deliveries below it")
    func filtered() async throws {
        try await SinkLab.with { lab in
            try await WebhookReceiver.with { receiver in
                let sink = try await lab.add("hook", hook(receiver, ["filter.dids": "did:plc:nobody"]))
                let follows = try await lab.add(
                    "follows", hook(receiver, ["filter.collections": "app.bsky.graph.*", "runs.prefix": "app/2", "rate": "20"]))
                try await lab.append("app/1", 50)
                try await lab.append("app/2", 120)
                let start = ContinuousClock.now
                try await lab.running([lab.service("a")]) {
                    try await lab.waitUntilDelivered(sink)
                    try await lab.waitUntilDelivered(follows)
                }
                // 60 of them pass: 20 at once, 20 ahead of their second, 20 behind it.
                #expect(ContinuousClock.now - start > .milliseconds(900))
                #expect(receiver.taken["app/1"] == nil)
                #expect(receiver.taken["app/2"] == (1...120).filter { $0 % 2 == 0 }.map(Int64.init))
            }
        }
    }
}

/// What the registry said when batches came.
actor SeenRegistrations {
    private(set) var counts: [Int] = []
    func saw(_ count: Int) { counts.append(count) }
}

/// Writers that look at the registry at each batch.
struct RegistrationWriters: SinkWriters {
    let real: TargetWriters
    let seen: SeenRegistrations
    let count: @Sendable () async throws -> Int

    func writer(for sink: SinkDefinition) throws(SinkProblem) -> any SinkWriter {
        Looking(real: try real.writer(for: sink), seen: seen, count: count)
    }

    private struct Looking: SinkWriter {
        let real: any SinkWriter
        let seen: SeenRegistrations
        let count: @Sendable () async throws -> Int

        func deliver(_ batch: SinkBatch) async throws(DeliveryError) {
            await seen.saw((try? await count()) ?? 0)
            try await real.deliver(batch)
        }

        func close() async { await real.close() }
    }
}
