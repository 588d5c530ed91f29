import ATProto
import Broker
import Events
import Ledger
import PostgresClient
import TestSupport
import Testing

@testable import Work

/// A stream may lose only what Postgres has. A trim that comes too early is healed by a rewind, so the log alone does not show it: the stream does.
@Suite("A shard's stream, and what of it is committed", .timeLimit(.minutes(10)))
struct ShardTrimTests {
    /// Why a commit fails, and how that ends.
    enum Failure: String, CaseIterable, CustomTestStringConvertible {
        case leaseNotTrusted, fenced, refusedByTheLedger

        var testDescription: String { rawValue }

        func begin(_ bench: WorkBench) async throws {
            switch self {
            case .leaseNotTrusted: bench.trust?.lost()
            case .fenced: try await bench.look.execute("UPDATE shards SET token = token + 1")
            case .refusedByTheLedger: try await bench.look.execute("UPDATE runs SET state = 'failed'")
            }
        }

        func end(_ bench: WorkBench) async throws {
            switch self {
            case .leaseNotTrusted: break
            case .fenced: try await bench.look.execute("UPDATE shards SET token = token - 1")
            case .refusedByTheLedger: try await bench.look.execute("UPDATE runs SET state = 'started'")
            }
        }
    }

    @Test("a commit that fails trims nothing and shows no position, and the next owner finds every entry", arguments: Failure.allCases)
    func failed(_ failure: Failure) async throws {
        try await WorkBench.with(change: { $0.inspectionTail = 0 }) { bench in
            var account = try TestAccount(0, start: bench.clock.start)
            let lease = try await begin(bench, &account)
            var owner = try await bench.owner(lease)
            try await owner.take(try await bench.read(0, after: owner.position))
            #expect(try await bench.shown() == WorkBench.Shown(position: owner.position, entries: []), "without a tail, all that is committed goes")

            bench.take(try account.commit("app.bsky.feed.post/b", "two").frame(), seq: 2)
            try await bench.append()
            let entries = try await bench.read(0, after: owner.position)
            let before = try await bench.shown()
            #expect(before == WorkBench.Shown(position: owner.position, entries: entries.map(\.id)))
            try await failure.begin(bench)
            var failed = false
            do { try await owner.take(entries) } catch { failed = true }
            #expect(failed)
            #expect(try await bench.shown() == before)

            try await failure.end(bench)
            var next = try await bench.owner(lease)
            #expect(next.position == before.position)
            try await next.take(try await bench.read(0, after: next.position))
            #expect(try await bench.events().map(\.rkey) == ["a", "b"])
            #expect(try await bench.shown() == WorkBench.Shown(position: next.position, entries: []))
        }
    }

    @Test("as long as a commit is under way nothing is trimmed and no position is shown")
    func unfinished() async throws {
        try await WorkBench.with(change: { $0.inspectionTail = 0 }) { bench in
            var account = try TestAccount(1, start: bench.clock.start)
            let lease = try await begin(bench, &account)
            let owner = try await bench.owner(lease)
            let entries = try await bench.read(0, after: owner.position)
            let before = try await bench.shown()
            #expect(before == WorkBench.Shown(position: owner.position, entries: entries.map(\.id)))
            let another = try await PostgresConnection.connect(try await SharedServers.postgres(schema: bench.schema, name: "\(bench.schema)-lock"))
            _ = try await another.execute("BEGIN; LOCK TABLE run_events IN ACCESS EXCLUSIVE MODE")
            async let following = Self.taking(entries, by: owner)
            try await bench.untilBlocked(by: await another.backendID)
            #expect(try await bench.shown() == before)
            _ = try await another.execute("COMMIT")
            let position = try await following.position
            #expect(try await bench.shown() == WorkBench.Shown(position: position, entries: []))
            await another.close()
            #expect(try await bench.events().map(\.rkey) == ["a"])
        }
    }

    @Test("what is not committed is never trimmed, and of what is committed the tail stays", arguments: [0, 2, 5])
    func tail(kept: Int) async throws {
        try await WorkBench.with(change: { $0.inspectionTail = kept }) { bench in
            var account = try TestAccount(2, start: bench.clock.start)
            let lease = try await begin(bench, &account)
            var owner = try await bench.owner(lease)
            var all: [EntryID] = []
            for round in 0..<8 {
                // Every other batch is of barriers alone: those are taken, and not committed.
                if round % 2 == 0 { bench.take(try account.commit("app.bsky.feed.post/r\(round)", "text").frame(), seq: Int64(round + 2)) }
                try await bench.append()
                let entries = try await bench.read(0, after: all.last ?? .zero)
                all += entries.map(\.id)
                // What follows stands in the stream already.
                try await bench.append()
                try await owner.take(entries)
                let stored = try await bench.ledger.shardState(lease).offset
                let shown = try await bench.shown()
                #expect(shown.position == stored && owner.position == stored)
                let committed = all.filter { $0 <= stored }
                #expect(shown.entries.filter { $0 <= stored } == committed.suffix(kept), "round \(round)")
                #expect(shown.entries.filter { $0 > stored }.starts(with: all.filter { $0 > stored }))
            }
        }
    }

    /// One commit in the stream, and the lease of its shard.
    private func begin(_ bench: WorkBench, _ account: inout TestAccount) async throws -> ShardLease {
        try await bench.know(account)
        try await bench.open()
        bench.take(try account.commit("app.bsky.feed.post/a", "one").frame(), seq: 1)
        try await bench.append()
        return try await bench.acquire()
    }

    private static func taking(_ entries: [ReadEntry], by owner: ShardRun) async throws -> ShardRun {
        var owner = owner
        try await owner.take(entries)
        return owner
    }
}
