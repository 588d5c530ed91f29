import Broker
import Events
import Ledger
import PostgresClient
import RedisClient
import Synchronization
import TestSupport
import Testing

@testable import Work

@Suite("A fetcher and the queue of jobs", .timeLimit(.minutes(5)))
struct FetchQueueTests {
    /// An account whose job stands in the queue.
    private func wanted(_ bench: FetchBench, _ host: ScriptedHost, _ number: Int = 0) async throws -> TestAccount {
        let account = try TestAccount.with(posts: 30, number)
        try host.give(account)
        try await bench.know([account], at: host.stub)
        try await bench.want([account])
        return account
    }

    /// The next job of the queue, as a process gets it that says nothing of it any more, for so long already.
    private func takenByTheDead(_ bench: FetchBench, silent seconds: Int64) async throws {
        let job = try #require(try await bench.queue.read(consumer: "dead", count: 1).first)
        try await age(bench, job.id, of: "dead", seconds)
    }

    private func age(_ bench: FetchBench, _ id: EntryID, of consumer: String, _ seconds: Int64) async throws {
        let key = RedisArgument.string(bench.stores.keys.repoBackfill)
        let arguments: [RedisArgument] = [
            key, .string(StreamKeys.fetcherGroup), .string(consumer), "0", .string(id.description), "IDLE", .integer(seconds * 1_000), "JUSTID",
        ]
        try await bench.stores.redis.send(RedisCommand("XCLAIM", arguments))
    }

    private func letters(_ bench: FetchBench) async throws -> [String] {
        try await bench.stores.pool.query("SELECT key, error, attempts FROM dead_letters WHERE queue = 'repo_backfill' ORDER BY id").map {
            "\(try $0.value("key", as: String.self)): \(try $0.value("error", as: String.self)) (\(try $0.value("attempts", as: Int32.self)))"
        }
    }

    @Test("a dead fetcher's job is taken over once it was silent, before its row's deadline, and the dead one's attempt is void")
    func takeOver() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                let account = try await wanted(bench, host)
                try await takenByTheDead(bench, silent: 46)
                let configuration = FetchConfiguration()
                let dead = try #require(try await bench.stores.ledger.claimJob(account.did, deadline: configuration.attemptDeadline))
                try await bench.stores.pool.execute("UPDATE backfill_jobs SET deadline = deadline - interval '46 s'")
                #expect(try await bench.number("SELECT count(*) FROM backfill_jobs WHERE deadline > now() + interval '30 s'") == 1)
                try await bench.running(bench.fetcher()) {
                    try await bench.until(account, are: .streamed)
                    try await bench.untilQueued(0)
                }
                let job = try await bench.job(account)
                #expect(job.attempt > dead.attempt)
                #expect(try await bench.entries(account).map(\.attempt) == [job.attempt])
                #expect(try await bench.stores.ledger.streamedJob(dead, host: "", records: 0, bytes: 0, deadline: .seconds(1)) == false)
            }
        }
    }

    @Test("an attempt that is heard of keeps its job: a second entry of the queue is acknowledged, and nobody is asked")
    func repeated() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                let account = try await wanted(bench, host)
                try await takenByTheDead(bench, silent: 3_600)
                let live = try #require(
                    try await bench.stores.ledger.claimJob(account.did, deadline: FetchConfiguration().attemptDeadline))
                try await bench.running(bench.fetcher()) { try await bench.untilQueued(0) }
                let job = try await bench.job(account)
                #expect((job.state, job.attempt) == (.fetching, live.attempt))
                #expect(host.asked(account) == 0)
            }
        }
    }

    @Test("a job that a fetcher has in hand and gets again is not begun again; the entry in hand stays until its end")
    func inHand() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                let account = try await wanted(bench, host)
                try host.hang(account)
                try await bench.running(bench.fetcher()) {
                    await host.stub.wait { !$0.requests.isEmpty && $0.sent > 0 }
                    try await bench.until(account, are: .fetching)
                    let attempt = try await bench.job(account).attempt
                    let first = try await bench.queue.standing(after: .zero, count: 10).map(\.id)
                    try await bench.queue.append([account.did])
                    try await bench.untilQueued(1)
                    #expect(try await bench.queue.standing(after: .zero, count: 10).map(\.id) == first)
                    #expect(try await bench.job(account).attempt == attempt)
                }
                #expect(host.asked(account) == 1)
            }
        }
    }

    @Test("an attempt tells that it goes on: its row's deadline is put off while its host is slow")
    func heartbeat() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                let account = try await wanted(bench, host)
                try host.hang(account)
                try await bench.running(bench.fetcher { $0.heartbeat = .milliseconds(20) }) {
                    try await bench.until(account, are: .fetching)
                    try await bench.stores.pool.execute("UPDATE backfill_jobs SET deadline = now()")
                    try await bench.changes.until {
                        try await bench.number("SELECT count(*) FROM backfill_jobs WHERE deadline > now() + interval '60 s'") == 1
                    }
                    #expect(try await bench.stores.ledger.sweepJobs(limit: 10, queueIsEmpty: false) == 0)
                }
            }
        }
    }

    @Test("a job over which too many fetchers died is given up with a dead letter, and nobody is asked")
    func poison() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                let account = try await wanted(bench, host)
                try await takenByTheDead(bench, silent: 46)
                for name in ["dead-2", "dead-3"] {
                    let taken = try await bench.queue.takeOver(consumer: name, idle: .seconds(45), from: .zero, count: 1).jobs
                    try await age(bench, try #require(taken.first).id, of: name, 46)
                }
                try await bench.running(bench.fetcher { $0.deliveriesMax = 3 }) {
                    try await bench.until(account, are: .dead)
                    try await bench.untilQueued(0)
                }
                #expect(try await letters(bench) == ["\(account.did): 3 fetchers took it and none came to its end (3)"])
                #expect(host.asked(account) == 0)
                #expect(try await bench.entries(account).isEmpty)
            }
        }
    }

    @Test("a job whose attempts fail too often is given up with its last reason, and tried again when somebody wants it")
    func givenUp() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                let account = try await wanted(bench, host)
                try host.give(account, .wrongCID)
                try await bench.running(bench.fetcher { $0.failuresMax = 2 }) {
                    try await bench.until(account, are: .waiting)
                    try await bench.feedAll()
                    try await bench.until(account, are: .dead)
                }
                let letter = try #require(try await letters(bench).first)
                #expect(letter.contains("gives an archive that is not sound") && letter.hasSuffix("(2)"), "\(letter)")
                #expect(host.asked(account) == 2)

                try host.give(account)
                #expect(try await bench.stores.ledger.resyncRepositories([account.did]) == [account.did: .requested])
                try await bench.feed()
                try await bench.running(bench.fetcher("b")) { try await bench.until(account, are: .streamed) }
                #expect(try await bench.job(account).failures == 0)
            }
        }
    }

    @Test("an entry of the queue whose row is gone is acknowledged, and so is one that names nobody")
    func gone() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                let account = try await wanted(bench, host)
                _ = try await bench.stores.ledger.removeRepositories([account.did], shards: bench.snapshots.shards)
                try await bench.queue.append([""])
                #expect(try await bench.queue.length() == 2)
                try await bench.running(bench.fetcher()) { try await bench.untilQueued(0) }
                #expect(host.stub.seen.requests.isEmpty)
                #expect(try await bench.number("SELECT count(*) FROM backfill_jobs") == 0)
            }
        }
    }

    @Test("a fetcher that is shut down in the middle of an archive ends at once and gives the job back; another one brings it")
    func drained() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                let account = try await wanted(bench, host)
                try host.hang(account)
                let (reached, reach) = AsyncStream.makeStream(of: CrashPoint.self)
                let seams = FaultSeams { reach.yield($0) }
                let ending = try await bench.running(bench.fetcher(seams: seams)) {
                    #expect(await reached.first { _ in true } == .fetchMidArchive)
                }
                // Far below what a process has for its end, and below each time-out of a host that hangs.
                #expect(ending < .seconds(5))
                let returned = try await bench.job(account)
                #expect((returned.state, returned.failures, returned.error) == (.waiting, 0, ""))
                #expect(returned.retryAt <= WorkClock.system.wall())
                #expect(try await bench.entries(account).isEmpty)

                try host.give(account)
                try await bench.feed()
                try await bench.running(bench.fetcher("b")) { try await bench.until(account, are: .streamed) }
                #expect(try await bench.job(account).attempt > returned.attempt)
                #expect(try await bench.entries(account).map(\.count) == [30])
            }
        }
    }
}
