import Broker
import Events
import Ledger
import PostgresClient
import TestSupport
import Testing

@testable import Ingest

/// The enumerator on real servers: no page is passed over, whatever happens between a page and its cursor.
@Suite("The backfill's enumerator", .timeLimit(.minutes(5)))
struct BackfillIngesterTests {
    private func all(_ count: Int) -> Set<String> { Set((0..<count).map { "did:web:\($0)" }) }

    @Test("lists a host to its end, and its run tells it with contiguous events, the terminal one last")
    func wholeList() async throws {
        let lister = ScriptedLister(count: 95)
        lister.change { entries in
            entries[3].isActive = false
            entries[3].status = "takendown"
            entries[4].isActive = false
            entries[4].status = "throttled"
            entries[5].did = "no DID"
        }
        try await BackfillLab.run { lab in
            try await lab.withReplica(lister) {
                try await lab.until { try await lab.source.state == .listed }
                try await lab.until { try await lab.events("backfill/\(BackfillLab.host)").last?.text("listing") == "false" }
                try await lab.finishJobs()
                try await lab.until { try await lab.source.state == .finished }
            }
            #expect(try await lab.dids() == all(95).subtracting(["did:web:5"]))
            #expect(try await lab.dids("state = 'refused'") == ["did:web:3"])
            #expect(lister.cursors == [nil] + (1...9).map { "at \($0 * 10)" })
            let events = try await lab.events("backfill/\(BackfillLab.host)")
            #expect(events.map(\.seq) == Array(1...Int64(events.count)))
            #expect(events.dropLast().allSatisfy { $0.kind == .progress } && events.last?.kind == .terminal)
            let last = try #require(events.dropLast().last)
            let told = ["listed", "resolved", "done", "refused", "failed", "open", "records", "bytes", "pass", "eta_seconds"].map { last.text($0) }
            #expect(told == ["94", "94", "93", "1", "0", "0", "186", "83700", "1", "0"])
            let id = try #require(RunID("backfill/\(BackfillLab.host)"))
            let run = try #require(try await lab.ledger.run(id))
            #expect(run.state == .finished && run.kind == "backfill" && run.nextSeq["outlet"] != nil)
        }
    }

    @Test(
        "a process that dies with a page in its hands, or right behind its cursor, leaves a list that the next one reads on",
        arguments: [
            (CrashPoint.backfillBeforePage, 1), (.backfillBeforePage, 4), (.backfillAfterPage, 1), (.backfillAfterPage, 4), (.backfillAfterPage, 10),
        ])
    func deaths(point: CrashPoint, count: Int) async throws {
        let lister = ScriptedLister(count: 100)
        try await BackfillLab.run { lab in
            try await lab.killReplica(lister, "first", at: point, count: count)
            let stored = try await lab.number("SELECT coalesce(max(listed), 0)::bigint FROM backfill_sources")
            let jobs = try await lab.number("SELECT count(*) FROM backfill_jobs")
            #expect(stored == jobs, "jobs and cursor are stored together")
            let before = lister.asks.count
            try await lab.withReplica(lister, "second") { try await lab.until { try await lab.source.state == .listed } }
            #expect(try await lab.dids() == all(100))
            #expect(try await lab.source.listed == 100)
            if stored < 100 { #expect(lister.cursors.dropFirst(before).first == (stored == 0 ? String?.none : "at \(stored)")) }
        }
    }

    @Test("a page that fails is asked for again until it comes, not before the host allows it, and none is passed over")
    func failures() async throws {
        let lister = ScriptedLister(count: 50)
        try await BackfillLab.run { lab in
            lister.fail(
                .failed("HTTP 502", retryAfter: nil), .failed("HTTP 429", retryAfter: .milliseconds(700)), .failed("cut off", retryAfter: nil))
            try await lab.withReplica(lister) {
                try await lab.until { try await lab.source.listed >= 20 }
                lister.fail(.failed("HTTP 500", retryAfter: nil))
                try await lab.until { try await lab.source.state == .listed }
            }
            #expect(try await lab.dids() == all(50))
            #expect(lister.cursors.prefix(4) == [nil, nil, nil, nil])
            #expect(lister.asks[2].at - lister.asks[1].at >= .milliseconds(700))
            #expect(Set(lister.cursors.compactMap { $0 }) == ["at 10", "at 20", "at 30", "at 40"])
            #expect(try await lab.source.error == "")
        }
    }

    @Test("what goes wrong is said in the source and in the report")
    func complaint() async throws {
        let lister = ScriptedLister(count: 50)
        lister.failAlways(.failed("HTTP 502", retryAfter: nil))
        try await BackfillLab.run { lab in
            try await lab.withReplica(lister) {
                try await lab.until { try await lab.source.error == "HTTP 502" }
                try await lab.until { try await lab.upstream()?.report?.state == .backingOff }
                lister.mend()
                try await lab.until { try await lab.source.state == .listed }
                try await lab.until { try await lab.upstream()?.report?.reason == "listed" }
            }
        }
    }

    @Test("a cursor that the host refuses begins the same pass again, with a count, and the list comes to its end")
    func refusedCursor() async throws {
        let lister = ScriptedLister(count: 60)
        try await BackfillLab.run { lab in
            try await lab.withReplica(lister) {
                try await lab.until { try await lab.source.listed >= 10 || lister.asks.count > 1 }
                lister.fail(.refusedCursor("InvalidRequest: cursor"))
                try await lab.until { try await lab.source.state == .listed }
            }
            let source = try await lab.source
            #expect(try await lab.dids() == all(60))
            if source.restarts == 1 { #expect(lister.cursors.count { $0 == nil } == 2) }
            #expect(source.restarts <= 1 && source.pass == 1)
        }
    }

    @Test("a list that goes in circles is begun again at the pace of a back-off, and read to its end once the host is well")
    func circle() async throws {
        let lister = ScriptedLister(count: 60)
        lister.detour(from: "at 40", to: "at 10")
        try await BackfillLab.run { lab in
            try await lab.withReplica(lister) {
                try await lab.until { try await lab.source.restarts >= 3 }
                let starts = lister.asks.filter { $0.cursor == nil }.map(\.at)
                #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 >= .milliseconds(50) })
                #expect(try await lab.source.error.contains("came twice"))
                lister.mend()
                try await lab.until { try await lab.source.state == .listed }
            }
            #expect(try await lab.dids() == all(60))
        }
    }

    @Test("a host that does not offer the method says so in the status, and is asked seldom")
    func unsupported() async throws {
        let lister = ScriptedLister(count: 60)
        lister.failAlways(.unsupported("MethodNotImplemented"))
        try await BackfillLab.run(.collection) { lab in
            try await lab.withReplica(lister) {
                try await lab.until { lister.asks.count >= 4 }
                let times = lister.asks.map(\.at)
                #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= .milliseconds(80) })
                let text = "the host does not offer listReposByCollection app.bsky.actor.profile: MethodNotImplemented"
                #expect(try await lab.source.error == text)
                try await lab.until { try await lab.upstream()?.report?.state == .backingOff }
            }
        }
    }

    @Test("listing pauses while too many listed repositories wait, and goes on when they are fetched")
    func room() async throws {
        let lister = ScriptedLister(count: 100)
        try await BackfillLab.run {
            $0.jobsMax = 40
        } _: { lab in
            try await lab.withReplica(lister) {
                try await lab.until { try await lab.upstream()?.report?.state == .paused }
                #expect(try await lab.source.listed == 40)
                #expect(lister.asks.count == 4)
                while try await lab.source.state == .listing {
                    #expect(try await lab.number("SELECT count(*) FROM backfill_jobs WHERE state <> 'done'") <= 40)
                    try await lab.finishJobs("did IN (SELECT did FROM backfill_jobs WHERE state <> 'done' LIMIT 3)")
                }
            }
            #expect(try await lab.dids() == all(100))
        }
    }

    @Test("of two replicas one lists, and the other one goes on where it ended")
    func replicas() async throws {
        let (first, second) = (ScriptedLister(count: 100), ScriptedLister(count: 100))
        try await BackfillLab.run {
            $0.jobsMax = 50
        } _: { lab in
            try await lab.withReplica(first, "first") {
                try await lab.until { try await lab.upstream()?.report?.state == .paused }
                try await lab.withReplica(second, "second") { try await lab.until { try await lab.source.listed == 50 } }
                #expect(second.asks.isEmpty)
            }
            try await lab.finishJobs()
            try await lab.forgetOwners()
            try await lab.withReplica(second, "second") { try await lab.until { try await lab.source.listed == 100 } }
            #expect(second.cursors == (5...9).map { "at \($0 * 10)" })
            #expect(first.asks.count == 5)
            #expect(try await lab.dids() == all(100))
        }
    }

    @Test("gaps that relays declare behind the list make a second pass, which has a run of its own and wants what is behind")
    func gaps() async throws {
        let lister = ScriptedLister(count: 30)
        try await BackfillLab.run { lab in
            try await lab.withReplica(lister) {
                try await lab.until { try await lab.source.state == .listed }
                // Of the first pass one job is still open when the second begins.
                try await lab.finishJobs("did <> 'did:web:9'")
                for number in 0..<30 where number != 9 {
                    let rev = number == 7 ? "3aaaaaaaaaaa2" : "3aaaaaaaaaaaa"
                    try await lab.pool.execute(
                        """
                        INSERT INTO repositories (shard, did, rev, data, status, reason)
                        VALUES (\(lab.shards.shard(of: "did:web:\(number)")), 'did:web:\(number)', '\(rev)', '', 'active', '')
                        """)
                }
                try await lab.pool.execute("INSERT INTO upstreams (kind, host) VALUES ('firehose', 'relay.example')")
                try await lab.pool.execute(
                    """
                    INSERT INTO declared_gaps (upstream, after_epoch, after_seq, through_epoch, through_seq)
                    SELECT id, 0, 5, 0, 9 FROM upstreams WHERE kind = 'firehose'
                    """)
                try await lab.until {
                    let source = try await lab.source
                    return source.pass == 2 && source.state == .listed
                }
                #expect(try await lab.dids("state = 'waiting' OR state = 'queued'") == ["did:web:7", "did:web:9"])
                #expect(try await lab.dids("reason = 'behind'") == ["did:web:7"])
                try await lab.finishJobs()
                try await lab.until { try await lab.source.state == .finished }
            }
            let first = try await lab.events("backfill/\(BackfillLab.host)")
            #expect(first.last?.kind == .terminal && first.last?.text("state") == "cancelled")
            let second = try await lab.events("backfill/\(BackfillLab.host)/2")
            #expect(second.map(\.seq) == Array(1...Int64(second.count)))
            #expect(second.last?.text("state") == "finished")
            #expect(second.dropLast().last?.text("done") == "2")
            #expect(lister.cursors == [nil, "at 10", "at 20", nil, "at 10", "at 20"])
        }
    }

    @Test("a run that was ended by hand is told no more, and the source still comes to its end")
    func endedRun() async throws {
        let lister = ScriptedLister(count: 30)
        try await BackfillLab.run { lab in
            let run = try #require(RunID("backfill/\(BackfillLab.host)"))
            try await lab.withReplica(lister) {
                // The run begins with its first report, which may come behind the listing.
                try await lab.until { try await lab.source.state == .listed }
                try await lab.until { try await !lab.events("\(run)").isEmpty }
                _ = try await lab.ledger.endRun(run, state: .cancelled)
                try await lab.finishJobs()
                try await lab.until { try await lab.source.state == .finished }
            }
            #expect(try await lab.events("\(run)").last?.kind == .terminal)
        }
    }

    @Test("a quiet backfill is not told again and again")
    func quiet() async throws {
        let lister = ScriptedLister(count: 30)
        try await BackfillLab.run { lab in
            try await lab.withReplica(lister) {
                try await lab.until { try await lab.events("backfill/\(BackfillLab.host)").last?.text("listing") == "false" }
                // Reports go on while nothing is told.
                let told = try await lab.events("backfill/\(BackfillLab.host)").count
                let reports = "SELECT extract(epoch FROM max(reported_at))::bigint FROM upstream_reports"
                let last = try await lab.number(reports)
                try await lab.until { try await lab.number(reports) >= last + 3 }
                #expect(try await lab.events("backfill/\(BackfillLab.host)").count - told <= 1)
            }
        }
    }

    @Test("a host that stands there twice, or is called as the feeder's lease, stops the start", arguments: ["pds.example", "feeder"])
    func duplicates(name: String) async throws {
        try await BackfillLab.run { lab in
            let hosts = [BackfillLab.host, name].map { BackfillHost(name: $0, lister: ScriptedLister(count: 1)) }
            let ingester = BackfillIngester(
                configuration: lab.configuration, hosts: hosts, ledger: lab.ledger, queue: lab.queue, shards: lab.shards, worker: WorkerID("a"),
                logger: SharedServers.quietLogger)
            await #expect(throws: BackfillIngester.DuplicateHost.self) { try await ingester.run() }
        }
    }

    @Test("with the scope live nothing is asked for, and no lease is taken; a chosen scope lists no host")
    func scopes() async throws {
        let lister = ScriptedLister(count: 30)
        try await BackfillLab.run(.live) { lab in
            try await lab.withReplica(lister) { try await lab.until { true } }
            #expect(try await lab.number("SELECT count(*) FROM upstreams") == 0)
        }
        try await BackfillLab.run(.chosen) { lab in
            try await lab.withReplica(lister) { try await lab.until { try await lab.upstream("feeder")?.report?.state == .streaming } }
            #expect(try await lab.number("SELECT count(*) FROM upstreams") == 1)
        }
        #expect(lister.asks.isEmpty)
    }
}

extension LogEvent {
    /// A member of the body, as it is written.
    func text(_ name: String) -> String? {
        let body = String(decoding: body, as: UTF8.self)
        guard let start = body.firstRange(of: "\"\(name)\":")?.upperBound else { return nil }
        return String(body[start...].prefix { $0 != "," && $0 != "}" }).replacing("\"", with: "")
    }
}
