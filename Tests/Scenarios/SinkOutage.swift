import Foundation
import PostgresClient
import RedisClient
import Simulator
import TestSupport
import Testing

/// Five sinks of different kinds under load, of which one is down for a minute.
struct SinkOutage: Sendable {
    let fleet: FleetUnderTest
    let endpoint: SinkEndpoint
    let receiver: WebhookReceiver
    let folder: String

    static let others = ["lines", "out", "rows", "stream"]
    /// Events a second, and how many seconds of them a sink may be behind that has no trouble, before and during another one's.
    static let rate = 60
    static let boundSeconds = 10
    /// Five of them make the minute.
    static let troubleLasts: Duration = .seconds(12)

    func start() async throws {
        try await fleet.step("five sinks of five kinds, two workers, load") {
            _ = try await fleet.startAPI()
            let common = #""start":"earliest","runs":{"kinds":["firehose"]},"timeout":"1s""#
            try await fleet.addSink(
                #"{"name":"hook","kind":"webhook","url":"\#(receiver.url)",\#(common),"breaker":{"failures":3,"recovery":"1s"},"retry":{"cap":"1s"}}"#
            )
            try await fleet.addSink(#"{"name":"lines","kind":"file","path":"lines.ndjson",\#(common)}"#)
            try await fleet.addSink(#"{"name":"out","kind":"stdout",\#(common)}"#)
            try await fleet.addSink(#"{"name":"rows","kind":"postgres","table":"public.rows",\#(common)}"#)
            try await fleet.addSink(#"{"name":"stream","kind":"redis","stream":"sink:stream",\#(common)}"#)
            _ = try await fleet.start("ingester", ["ingest", "firehose"], settings: ScenarioLeases.settings)
            for name in ["a", "b"] {
                _ = try await fleet.startWorker("worker \(name)", output: "\(folder)/out-\(name)", settings: ScenarioLeases.settings)
            }
            try await fleet.simulator.set(EventRate(eventsPerSecond: Double(Self.rate)))
            try await fleet.waitUntil("all five are healthy") { _ in
                let sinks = try await fleet.shownSinks()
                return sinks.count == 5 && sinks.values.allSatisfy { $0.state == "healthy" }
            }
        }
    }

    /// The minute: what others show is as it was before, and each trouble is seen to be what it says.
    func lastAMinute() async throws {
        let (before, meanwhile) = (SinkLagWatch(), SinkLagWatch())
        try await fleet.step("before") { try await fleet.during(.seconds(8)) { try await before.look(fleet) } }
        for trouble in [SinkEndpoint.Trouble.refuses, .hangs, .fails, .answersLate] {
            try await fleet.step("the webhook's server \(trouble.rawValue)") {
                try await begin(trouble)
                let calls = receiver.calls.count
                try await fleet.during(Self.troubleLasts) { try await meanwhile.look(fleet) }
                let (sink, came) = (try await fleet.shownSink("hook"), receiver.calls.count - calls)
                fleet.journal.note("\(sink.state), \(sink.backlog) events behind after \(came) calls: \(sink.lastError ?? "no error")")
                #expect(sink.state == "backing_off" && sink.lastError?.isEmpty == false, "while it \(trouble.rawValue)")
                // The breaker keeps most calls away; each of those that reach it is a probe, or was under way.
                #expect(trouble == .refuses ? came == 0 : (1...100).contains(came), "\(came) calls while it \(trouble.rawValue)")
                if trouble == .refuses { #expect(sink.lastError?.contains("Read timeout") == false, "somebody listens still") }
                if trouble == .fails { #expect(sink.lastError?.contains("HTTP 500") == true) }
            }
        }
        let backlog = try await fleet.shownSink("hook").backlog
        #expect(try await fleet.doctorCodes("sink hook").contains("sink_backing_off"))
        let bound = Int64(Self.rate * Self.boundSeconds)
        #expect(backlog > 2 * bound, "the webhook is \(backlog) events behind: its outage cost nothing")
        try await fleet.step("the webhook's server \(SinkEndpoint.Trouble.answersAndDies.rawValue)") {
            try await begin(.answersAndDies)
            try await fleet.during(Self.troubleLasts) { try await meanwhile.look(fleet) }
        }
        for name in Self.others {
            fleet.journal.note("\(name) before: \(before[name].summary)")
            fleet.journal.note("\(name) during: \(meanwhile[name].summary)")
            #expect(before[name].looks > 4 && meanwhile[name].looks > 30, "it was looked at \(meanwhile[name].looks) times")
            #expect(meanwhile[name].backlogMax <= before[name].backlogMax + bound, "\(name): \(meanwhile[name].summary)")
            #expect(meanwhile[name].states.isSubset(of: ["healthy", "lagging"]), "\(name) was \(meanwhile[name].states)")
        }
        fleet.journal.note("hook during: \(meanwhile["hook"].summary)")
        try await fleet.step("well again, it catches up") {
            endpoint.set(.none)
            try await fleet.waitUntil("the webhook is healthy and no further behind than others were") { _ in
                let sink = try await fleet.shownSink("hook")
                return sink.state == "healthy" && sink.backlog <= bound
            }
        }
    }

    private func begin(_ trouble: SinkEndpoint.Trouble) async throws {
        endpoint.set(trouble)
        if trouble == .refuses { await receiver.stop() }
        if trouble == .hangs { try await receiver.open() }
    }

    /// One is removed, one is added from the beginning, and one renamed, which is another sink for its cursors.
    func changed() async throws {
        try await fleet.step("removed, added and renamed while it runs") {
            try await fleet.removeSink("stream")
            try await fleet.addSink(#"{"name":"late","kind":"postgres","table":"public.late","start":"earliest","runs":{"kinds":["firehose"]}}"#)
            try await fleet.removeSink("lines")
            try await fleet.addSink(
                #"{"name":"renamed","kind":"file","path":"renamed.ndjson","start":"earliest","runs":{"kinds":["firehose"]}}"#)
            try await fleet.waitUntil("workers have let go of what was removed, and run what is new") { pool in
                let gone = "SELECT count(*) FROM weir.sink_consumers WHERE sink IN ('stream', 'lines')"
                let rows = "SELECT count(*) FROM weir.run_outbox WHERE sink IN ('stream', 'lines')"
                let new = "SELECT count(*) FROM weir.sink_consumers WHERE sink IN ('late', 'renamed') AND state = 'healthy'"
                for (sql, wanted) in [(gone, Int64(0)), (rows, 0), (new, 4)] where try await FleetUnderTest.number(pool, sql) != wanted {
                    return false
                }
                return true
            }
            let kept = try await entries()
            try await fleet.progress(60)
            let now = try await entries()
            #expect(now == kept, "a removed sink still delivers")
        }
    }

    private func entries() async throws -> Int64 {
        try await RedisProbe.with(fleet) { try await $0.client.send(RedisCommand("XLEN", "sink:stream")).integer() }
    }

    /// Every sink's record is the log, in the way that its kind promises.
    func compare() async throws {
        try await fleet.step("every record is the log") {
            try await fleet.settle()
            try await fleet.waitUntilDelivered(["hook", "out", "rows", "late", "renamed"])
            let records = try await SinkRecords.of(fleet)
            var out: [String: [Int64]] = [:]
            var differences: [String] = []
            for name in ["a", "b"] {
                let part = try SinkRecords.lines("\(folder)/out-\(name)")
                for (run, seqs) in part { out[run, default: []] += seqs }
                // A run goes from one worker to the other and back; what each wrote of it is in order.
                for (run, seqs) in part where seqs != seqs.sorted() { differences.append("out-\(name): \(run) is out of order") }
            }
            differences += records.covered("out", out)
            differences += records.exactly("rows", try await records.table("rows")) + records.exactly("late", try await records.table("late"))
            differences += records.atLeastOnce("renamed", try SinkRecords.lines("\(folder)/renamed.ndjson"))
            differences += records.atLeastOnce("lines", try SinkRecords.lines("\(folder)/lines.ndjson"), isWhole: false)
            differences += records.atLeastOnce("stream", try await records.stream("sink:stream"), isWhole: false)
            differences += records.atLeastOnce("hook", receiver.taken)
            let repeats = receiver.taken.values.reduce(0) { $0 + $1.count } - records.count
            fleet.journal.note("\(records.count) events in each; the webhook was given \(repeats) again")
            #expect(repeats > 0, "no answer was lost")
            try fleet.require(differences.isEmpty, differences.joined(separator: "\n"))
        }
    }
}
