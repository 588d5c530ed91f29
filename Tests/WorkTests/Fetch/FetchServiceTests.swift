import ATProto
import Broker
import Events
import Ledger
import PostgresClient
import TestSupport
import Testing

@testable import Work

@Suite("A fetcher, between hosts, Redis and Postgres", .timeLimit(.minutes(5)))
struct FetchServiceTests {
    /// What was written of an account is its repository, each record once and in order of keys, in entries that follow each other, and closed with its count.
    private func expectWhole(_ account: TestAccount, _ entries: [SnapshotEntry], attempt: Int64) throws {
        #expect(entries.map(\.n) == Array(0..<Int64(entries.count)))
        #expect(entries.allSatisfy { $0.attempt == attempt && $0.rev == account.lastRev })
        let records = entries.flatMap(\.records)
        #expect(records.map(\.path) == account.records.keys.sorted())
        #expect(records.allSatisfy { $0.cid == account.records[$0.path]?.description })
        #expect(records.allSatisfy { (try? JSONValue(parsing: $0.body))?["$type"]?.string == "app.bsky.feed.post" })
        let last = try #require(entries.last)
        #expect(last.kind == (entries.count == 1 ? .whole : .close))
        #expect(last.count == Int64(account.records.count))
    }

    @Test("a job's repository is written whole, in one entry or in several, with its count behind it, and the job says so", arguments: [3, 1_201])
    func whole(posts: Int) async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                let account = try TestAccount.with(posts: posts, 0)
                let bytes = try host.give(account)
                try await bench.know([account], at: host.stub)
                try await bench.want([account])
                try await bench.running(bench.fetcher()) {
                    try await bench.until(account, are: .streamed)
                    // What is done is acknowledged.
                    try await bench.untilQueued(0)
                }
                let job = try await bench.job(account)
                let entries = try await bench.entries(account)
                #expect(entries.count == (posts == 3 ? 1 : 9))
                try expectWhole(account, entries, attempt: job.attempt)
                #expect(entries.allSatisfy { $0.host == host.name && !$0.isFork })
                #expect((job.records, job.bytes, job.host, job.error) == (Int64(posts), Int64(bytes), host.name, ""))
                #expect(host.asked(account) == 1)
            }
        }
    }

    @Test("a host that asks to be left alone is left alone, its jobs wait without a failure, and another host's go on")
    func rateLimited() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { busy in
                try await ScriptedHost.with { free in
                    let accounts = try (0..<6).map { try TestAccount.with(posts: 2, $0) }
                    for account in accounts[..<3] { busy.refuse(account, 429, error: "RateLimitExceeded", headers: [("retry-after", "600")]) }
                    for account in accounts[3...] { try free.give(account) }
                    try await bench.know(Array(accounts[..<3]), at: busy.stub)
                    try await bench.know(Array(accounts[3...]), at: free.stub)
                    try await bench.want([accounts[0]])
                    try await bench.running(bench.fetcher()) {
                        try await bench.until(accounts[0], are: .waiting)
                        // This fetcher knows it from the answer, and need not ask again.
                        try await bench.want(Array(accounts[1...]))
                        try await bench.until(accounts[1], accounts[2], are: .waiting)
                        try await bench.until(accounts[3], accounts[4], accounts[5], are: .streamed)
                    }
                    #expect(busy.stub.seen.requests.count == 1)
                    let parked = try await bench.stores.ledger.parkedHosts(limit: 10)
                    #expect(parked.map(\.host) == [busy.name])
                    #expect(parked.allSatisfy { $0.left > .seconds(500) && $0.reason.contains("HTTP 429") })
                    for account in accounts[..<3] {
                        let job = try await bench.job(account)
                        #expect((job.failures, job.host) == (0, busy.name))
                        #expect(job.error.contains("is left alone"))
                        #expect(job.retryAt > WorkClock.system.wall().adding(.seconds(500)))
                    }
                    // Nobody feeds them meanwhile, whatever their own time to retry is.
                    try await bench.stores.pool.execute("UPDATE backfill_jobs SET retry_at = now() WHERE state = 'waiting'")
                    #expect(try await bench.stores.ledger.feedJobs(limit: 10, deadline: .seconds(60)).isEmpty)
                }
            }
        }
    }

    @Test(
        "an archive that is cut or wrong writes nothing; its reason is kept, and a new attempt brings the repository",
        arguments: ScriptedHost.Flaw.allCases)
    func flawed(flaw: ScriptedHost.Flaw) async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                let account = try TestAccount.with(posts: 40, 0)
                host.document(account, at: host)
                try host.give(account, flaw)
                try await bench.know([account], at: host.stub)
                try await bench.want([account])
                try await bench.running(bench.fetcher(directory: host.stub)) {
                    try await bench.until(account, are: .waiting)
                    try await bench.untilQueued(0)
                }
                let failed = try await bench.job(account)
                #expect(failed.failures == 1)
                #expect(failed.error.contains(flaw.reason), "\(failed.error)")
                #expect(failed.retryAt > failed.changedAt.adding(.milliseconds(900)))
                #expect(try await bench.entries(account).isEmpty)

                // Another process: this one may leave the host alone for a while.
                try host.give(account)
                try await bench.stores.ledger.unparkHost(host.name)
                try await bench.feedAll()
                try await bench.running(bench.fetcher("b")) { try await bench.until(account, are: .streamed) }
                let job = try await bench.job(account)
                #expect(job.attempt > failed.attempt)
                #expect(job.error.isEmpty)
                try expectWhole(account, try await bench.entries(account), attempt: job.attempt)
            }
        }
    }

    @Test("an archive whose records are not all there is found out before anything of it is written, however large it is")
    func missingRecord() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                var account = try TestAccount.with(posts: 1_201, 0)
                var blocks = try account.blocks()
                let last = try #require(account.records.sorted { $0.key < $1.key }.last?.value)
                blocks.removeAll { $0.cid == last }
                host.answer(account, StubStep.archive(CARWriter.encode(roots: [blocks[0].cid], blocks: blocks)))
                try await bench.know([account], at: host.stub)
                try await bench.want([account])
                try await bench.running(bench.fetcher()) { try await bench.until(account, are: .waiting) }
                #expect(try await bench.job(account).error.contains("gives an archive that is not sound"))
                #expect(try await bench.entries(account).isEmpty)
            }
        }
    }

    @Test("a host's last word is written once the directory says that it is the account's host")
    func final() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { host in
                let account = try TestAccount.with(posts: 1, 0)
                host.document(account, at: host)
                host.refuse(account, 400, error: "RepoTakendown")
                try await bench.know([account], at: host.stub)
                try await bench.want([account])
                try await bench.running(bench.fetcher(directory: host.stub)) { try await bench.until(account, are: .streamed) }
                let entries = try await bench.entries(account)
                #expect(entries.map(\.kind) == [.absent])
                #expect(entries.map(\.reason) == ["takendown"])
                #expect(entries.map(\.attempt) == [try await bench.job(account).attempt])
            }
        }
    }

    @Test("an account that has moved is fetched where the directory says that it is, in the same attempt")
    func moved() async throws {
        try await FetchBench.with { bench in
            try await ScriptedHost.with { old in
                try await ScriptedHost.with { new in
                    let account = try TestAccount.with(posts: 5, 0)
                    old.refuse(account, 400, error: "RepoNotFound")
                    old.document(account, at: new)
                    try new.give(account)
                    try await bench.know([account], at: old.stub)
                    try await bench.want([account])
                    try await bench.running(bench.fetcher(directory: old.stub)) { try await bench.until(account, are: .streamed) }
                    #expect((old.asked(account), new.asked(account)) == (1, 1))
                    let entries = try await bench.entries(account)
                    #expect(entries.map(\.host) == [new.name])
                    try expectWhole(account, entries, attempt: try await bench.job(account).attempt)
                    #expect(try await bench.stores.ledger.identities([account.did])[account.did]?.host == "http://\(new.name)")
                }
            }
        }
    }
}
