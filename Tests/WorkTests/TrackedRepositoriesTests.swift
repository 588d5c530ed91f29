import ATProto
import Broker
import Events
import Ledger
import PostgresClient
import TestSupport
import Testing

@testable import Work

@Suite("A shard's owner and snapshots, between Redis and Postgres", .timeLimit(.minutes(10)))
struct TrackedRepositoriesTests {
    private func text(_ event: LogEvent) -> String { String(decoding: event.body, as: UTF8.self) }

    /// An event as a line: kind, action and key, or the state that was told.
    private func line(_ event: LogEvent) -> String {
        event.kind == .record
            ? "\(event.action?.rawValue ?? "") \(event.rkey)\(event.live ? "" : " of a snapshot")" : "\(event.kind.rawValue) \(text(event))"
    }

    /// An account that was met live with posts, in its shard's owner: they are held, and a snapshot is wanted.
    private func met(_ bench: WorkBench, posts: String...) async throws -> (account: TestAccount, owner: ShardRun, lease: ShardLease) {
        var account = try TestAccount(0, start: bench.clock.start)
        try await bench.know(account)
        try await bench.open()
        for (place, post) in posts.enumerated() {
            bench.take(try account.commit("app.bsky.feed.post/\(post)", "1").frame(), seq: Int64(place + 1))
        }
        let lease = try await bench.acquire()
        var owner = try await bench.owner(lease)
        try await takeLive(bench, &owner)
        return (account, owner, lease)
    }

    /// What was taken of the relay comes to the owner.
    private func takeLive(_ bench: WorkBench, _ owner: inout ShardRun) async throws {
        try await bench.append()
        try await owner.take(try await bench.read(0, after: owner.position))
    }

    /// An attempt's entries come to the owner, and it looks at what it held.
    private func take(_ bench: WorkBench, _ entries: [SnapshotEntry], _ owner: inout ShardRun) async throws {
        try await bench.snapshots.append(entries)
        while try await owner.takeSnapshots() {}
        try await owner.sweep()
    }

    private static func tracks(_ configuration: inout WorkerConfiguration) { configuration.tracking = TrackingConfiguration(scope: .full) }

    @Test("a repository that is met live is fetched first, and its commits come after the snapshot in order, those that it holds not again")
    func backfill() async throws {
        try await WorkBench.with(change: Self.tracks) { bench in
            var (account, owner, _) = try await met(bench, posts: "a")
            let attempt = try await bench.claim(account.did)
            bench.take(try account.commit("app.bsky.feed.post/b", "two").frame(), seq: 2)
            let parts = account.parts(attempt)
            bench.take(try account.commit("app.bsky.feed.post/c", "three").frame(), seq: 3)
            bench.take(try account.commit("app.bsky.feed.post/a", nil).frame(), seq: 4)
            try await takeLive(bench, &owner)
            #expect(try await bench.number("SELECT count(*) FROM held") == 4)
            // No stream offset waits for them.
            #expect(try await bench.ledger.resumePosition(UpstreamName(kind: .firehose, host: "relay.example")) == .at(Position(epoch: 1, seq: 4)))
            try await take(bench, parts, &owner)

            #expect(
                try await bench.events().map(line) == [
                    #"sync {"state":"pending","reason":"unknown"}"#, #"sync {"state":"backfilling","reason":"unknown"}"#, "create a of a snapshot",
                    "create b of a snapshot", #"sync {"state":"active","records":2}"#, "create c", "delete a",
                ])
            #expect(try await bench.number("SELECT count(*) FROM held") == 0)
            #expect(try await bench.number("SELECT count(*) FROM records") == 2)
            #expect(try await bench.ledger.job(account.did)?.state == .done)
        }
    }

    @Test("an owner that dies between the snapshot and the held commits leaves them to the next one")
    func takeOver() async throws {
        try await WorkBench.with(change: Self.tracks) { bench in
            var (account, first, lease) = try await met(bench, posts: "a")
            let whole = account.whole(try await bench.claim(account.did))
            bench.take(try account.commit("app.bsky.feed.post/b", "two").frame(), seq: 2)
            try await takeLive(bench, &first)
            try await bench.snapshots.append([whole])
            #expect(try await first.takeSnapshots())

            var second = try await bench.owner(lease)
            #expect(try await second.takeSnapshots() == false, "what is committed is not read again")
            try await second.sweep()
            #expect(try await bench.events().filter { $0.kind == .record }.map(line) == ["create a of a snapshot", "create b"])
        }
    }

    @Test("a chain that breaks is mended by a difference: what is missing is created, what changed updated, what is gone deleted")
    func resync() async throws {
        try await WorkBench.with(change: Self.tracks) { bench in
            var (account, owner, lease) = try await met(bench, posts: "a", "b", "c")
            try await take(bench, [account.whole(try await bench.claim(account.did))], &owner)
            let before = try await bench.events().count
            // Another owner, which knows the repository from the ledger alone.
            owner = try await bench.owner(lease)

            // Nobody brings these.
            _ = try account.commit("app.bsky.feed.post/a", "2")
            _ = try account.commit("app.bsky.feed.post/b", nil)
            _ = try account.commit("app.bsky.feed.post/d", "1")
            bench.take(try account.commit("app.bsky.feed.post/e", "1").frame(), seq: 200)
            try await takeLive(bench, &owner)
            bench.clock.advance(.seconds(60))
            try await owner.sweep()
            #expect(try await bench.ledger.job(account.did)?.reason == "missing_predecessor")
            try await take(bench, account.parts(try await bench.claim(account.did)), &owner)
            #expect(
                try await bench.events().dropFirst(before).map(line) == [
                    #"sync {"state":"desynchronized","reason":"missing_predecessor"}"#,
                    #"sync {"state":"resyncing","reason":"missing_predecessor"}"#, "update a of a snapshot", "delete b of a snapshot",
                    "create d of a snapshot", "create e of a snapshot", #"sync {"state":"active","records":4}"#,
                ])
            #expect(try await bench.number("SELECT count(*) FROM held") == 0)
        }
    }

    @Test("an attempt with a hole is worth nothing more, its job waits again, and the next attempt brings the rest")
    func hole() async throws {
        try await WorkBench.with(change: Self.tracks) { bench in
            var (account, owner, _) = try await met(bench, posts: "a", "b", "c")
            var parts = account.parts(try await bench.claim(account.did))
            parts.remove(at: 2)
            try await take(bench, parts, &owner)
            let job = try #require(try await bench.ledger.job(account.did))
            #expect(job.state == .waiting)
            #expect(job.error == "entries are missing: n 2 expected, 3 found")
            try await take(bench, account.parts(try await bench.claim(account.did)), &owner)
            #expect(
                try await bench.events().filter { $0.kind == .record }.map(line)
                    == ["create a of a snapshot", "create b of a snapshot", "create c of a snapshot"])
        }
    }

    @Test("an attempt whose count is not what came is worth nothing more, in several entries or in one", arguments: [false, true])
    func count(isWhole: Bool) async throws {
        try await WorkBench.with(change: Self.tracks) { bench in
            var (account, owner, _) = try await met(bench, posts: "a", "b", "c")
            let attempt = try await bench.claim(account.did)
            var entries = isWhole ? [account.whole(attempt)] : account.parts(attempt)
            entries[entries.count - 1].count = 4
            try await take(bench, entries, &owner)
            let job = try #require(try await bench.ledger.job(account.did))
            #expect((job.state, job.error) == (.waiting, "4 records were sent, 3 came"))
            #expect(try await bench.number("SELECT count(*) FROM repositories WHERE status = 'active'") == 0)
            try await take(bench, [account.whole(try await bench.claim(account.did))], &owner)
            #expect(try await bench.events().filter { $0.kind == .record }.count == 3)
        }
    }

    @Test("an attempt that was given up begins nothing, neither beside the newer one nor after it has closed")
    func givenUp() async throws {
        try await WorkBench.with(change: Self.tracks) { bench in
            var (account, owner, _) = try await met(bench, posts: "a", "b")
            let old = account.whole(try await bench.claim(account.did))
            // Its fetcher fell silent, and goes on to write all the same.
            try await bench.look.execute("UPDATE backfill_jobs SET deadline = now()")
            let new = account.whole(try await bench.claim(account.did))
            try await take(bench, [old], &owner)
            #expect(try await bench.events().filter { $0.kind == .record }.isEmpty)
            try await take(bench, [new], &owner)
            let before = try await bench.events().count
            try await take(bench, [old], &owner)
            #expect(try await bench.events().count == before)
            #expect(try await bench.ledger.job(account.did)?.state == .done)
        }
    }

    @Test("an older snapshot is refused, unless the account's own host stands by it")
    func fork() async throws {
        try await WorkBench.with(change: Self.tracks) { bench in
            var (account, owner, _) = try await met(bench, posts: "a")
            let old = account
            bench.take(try account.commit("app.bsky.feed.post/b", "1").frame(), seq: 2)
            try await takeLive(bench, &owner)
            try await take(bench, [account.whole(try await bench.claim(account.did))], &owner)
            for isFork in [false, true] {
                _ = try await bench.ledger.resyncRepositories([account.did])
                var stale = old
                try await take(bench, [stale.whole(try await bench.claim(account.did), isFork: isFork)], &owner)
                #expect(try await bench.number("SELECT count(*) FROM records") == (isFork ? 1 : 2))
                #expect(try await bench.ledger.job(account.did)?.state == (isFork ? .done : .waiting))
            }
            #expect(try await bench.events().last.map(line) == #"sync {"state":"active","reason":"fork","records":1}"#)
        }
    }

    @Test("a repository that leaves the scope stops, and is delivered anew when it comes back")
    func scope() async throws {
        try await WorkBench.with(change: Self.tracks) { bench in
            var (account, owner, _) = try await met(bench, posts: "a")
            try await take(bench, [account.whole(try await bench.claim(account.did))], &owner)
            _ = try await bench.ledger.removeRepositories([account.did], shards: ShardMap(count: 1))
            #expect(try await owner.carryOutRequests())
            bench.take(try account.commit("app.bsky.feed.post/b", "1").frame(), seq: 2)
            try await takeLive(bench, &owner)
            #expect(try await bench.events().last.map(line) == #"sync {"state":"removed"}"#)
            #expect(try await bench.number("SELECT count(*) FROM records") == 0)

            _ = try await bench.ledger.addRepositories([account.did], shards: ShardMap(count: 1), reason: "added")
            #expect(try await owner.carryOutRequests())
            try await take(bench, [account.whole(try await bench.claim(account.did))], &owner)
            #expect(
                try await bench.events().suffix(3).map(line) == [
                    "create a of a snapshot", "create b of a snapshot", #"sync {"state":"active","records":2}"#,
                ])
        }
    }

    @Test("an account whose host has nothing waits until something of it comes")
    func absent() async throws {
        try await WorkBench.with(change: Self.tracks) { bench in
            var (account, owner, _) = try await met(bench, posts: "a")
            for expected in [BackfillJob.State.waiting, .refused] {
                // A commit is held at the first answer, so it is asked once more.
                let attempt = try await bench.claim(account.did)
                let entry = SnapshotEntry(did: account.did, attempt: attempt, n: 0, kind: .absent, host: "pds.example", reason: "takendown")
                try await take(bench, [entry], &owner)
                #expect(try await bench.ledger.job(account.did)?.state == expected)
            }
            #expect(try await bench.events().last.map(line) == #"sync {"state":"inactive","reason":"takendown"}"#)
            bench.take(try account.commit("app.bsky.feed.post/b", "1").frame(), seq: 2)
            try await takeLive(bench, &owner)
            #expect(try await bench.ledger.job(account.did)?.state == .waiting)
            #expect(try await bench.events().last.map(line) == #"sync {"state":"pending","reason":"returned"}"#)
        }
    }
}
