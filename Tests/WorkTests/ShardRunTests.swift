import ATProto
import Broker
import Events
import Flow
import Ledger
import PostgresClient
import TestSupport
import Testing

@testable import Work

@Suite("A shard's owner, between Redis and Postgres", .timeLimit(.minutes(10)))
struct ShardRunTests {
    private func text(_ event: LogEvent) -> String { String(decoding: event.body, as: UTF8.self) }

    @Test("logs what two relays send, each event once, in the order of its repository, with the watermarks of both")
    func twoRelays() async throws {
        try await WorkBench.with { bench in
            var account = try TestAccount(0, start: bench.clock.start)
            try await bench.know(account)
            let commits = [
                try account.commit("app.bsky.feed.post/a", "one").frame(), try account.commit("app.bsky.feed.post/a", "two").frame(),
                try account.commit("app.bsky.feed.post/a", nil).frame(),
            ]
            try await bench.open("a.example")
            try await bench.open("b.example", from: 100)
            for (index, frame) in commits.enumerated() {
                bench.take(frame, seq: Int64(index + 1), host: "a.example")
                bench.take(frame, seq: Int64(index + 101), host: "b.example")
            }
            let account1 = IdentityMessage(seq: 9, did: account.did, time: "2026-01-01T00:00:00Z", handle: "a.test").frame()
            bench.take(account1, seq: 9, host: "a.example")
            bench.take(account1, seq: 109, host: "b.example")
            try await bench.append()
            let lease = try await bench.acquire()
            var owner = try await bench.owner(lease)
            try await owner.take(try await bench.read(0, after: owner.position))

            let events = try await bench.events()
            #expect(events.map(\.seq) == [1, 2, 3, 4])
            #expect(events.map(\.kind) == [.record, .record, .record, .identity])
            #expect(events.map(\.action) == [.create, .update, .delete, nil])
            #expect(text(events[0]) == #"{"text":"one","$type":"app.bsky.feed.post"}"#)
            #expect(events[2].body.isEmpty && events[2].cid.isEmpty)
            #expect(text(events[3]) == #"{"handle":"a.test"}"#)
            #expect(events.allSatisfy { $0.mark.isEmpty && $0.live })
            for (host, seq) in [("a.example", Int64(9)), ("b.example", 109)] {
                let resume = try await bench.ledger.resumePosition(UpstreamName(kind: .firehose, host: host))
                #expect(resume == .at(Position(epoch: 1, seq: seq)))
            }
        }
    }

    @Test("goes on where it was committed after a take-over, and takes nothing twice")
    func takeOver() async throws {
        try await WorkBench.with { bench in
            var account = try TestAccount(1, start: bench.clock.start)
            try await bench.know(account)
            try await bench.open()
            bench.take(try account.commit("app.bsky.feed.post/a", "one").frame(), seq: 1)
            try await bench.append()
            let lease = try await bench.acquire()
            var first = try await bench.owner(lease)
            try await first.take(try await bench.read(0, after: first.position))
            bench.take(try account.commit("app.bsky.feed.post/b", "two").frame(), seq: 2)
            try await bench.append()
            var second = try await bench.owner(lease)
            #expect(second.position == first.position)
            let again = try await bench.read(0, after: .zero)
            try await second.take(again)
            #expect(try await bench.events().map(\.rkey) == ["a", "b"])
        }
    }

    @Test("abandons everything where another process owns the shard by now")
    func zombie() async throws {
        try await WorkBench.with { bench in
            var account = try TestAccount(2, start: bench.clock.start)
            try await bench.know(account)
            try await bench.open()
            bench.take(try account.commit("app.bsky.feed.post/a", "one").frame(), seq: 1)
            try await bench.append()
            let lease = try await bench.acquire()
            var zombie = try await bench.owner(lease)
            let entries = try await bench.read(0, after: zombie.position)

            try await bench.look.execute("UPDATE shards SET expires_at = '-infinity'")
            let other = WorkerID("\(bench.schema)-b")
            let otherPool = try await SharedServers.pool(schema: bench.schema, name: other.description)
            let taken = try await Ledger(pool: otherPool, schema: bench.schema).acquireShards([0], worker: other, ttl: .seconds(60))
            #expect(taken.map(\.token) == [FencingToken(lease.token.value + 1)])
            // The take-over ended the old owner's connections, at most four here: behind those the zombie meets the fence.
            var kinds: [ShardFailure.Kind] = []
            for _ in 0..<5 where kinds.last != .fenced {
                do { try await zombie.take(entries) } catch { kinds.append(ShardFailure(error).kind) }
            }
            #expect(kinds.last == .fenced)
            #expect(kinds.dropLast().allSatisfy { $0 == .unavailable })
            #expect(try await bench.events().isEmpty)
            #expect(try await bench.number("SELECT count(*) FROM session_progress") == 0)
            await otherPool.close()
        }
    }

    @Test("asks once for a rewind that names the session where an entry is missing, logs nothing behind it, and is healed by the next session")
    func hole() async throws {
        try await WorkBench.with { bench in
            var account = try TestAccount(3, start: bench.clock.start)
            try await bench.know(account)
            try await bench.open()
            let frames = [
                try account.commit("app.bsky.feed.post/a", "1").frame(), try account.commit("app.bsky.feed.post/b", "2").frame(),
                try account.commit("app.bsky.feed.post/c", "3").frame(),
            ]
            for (index, frame) in frames.enumerated() { bench.take(frame, seq: Int64(index + 1)) }
            try await bench.append(losing: { $0.n == 2 })
            let lease = try await bench.acquire()
            var owner = try await bench.owner(lease)
            try await owner.take(try await bench.read(0, after: owner.position))
            #expect(try await bench.events().map(\.rkey) == ["a"])
            let lost = bench.session()
            #expect(try await bench.number("SELECT count(*) FROM rewinds") == 1)
            #expect(try await bench.number("SELECT session FROM rewinds") == lost)
            let upstream = UpstreamName(kind: .firehose, host: "relay.example")
            #expect(try await bench.ledger.resumePosition(upstream) == .at(Position(epoch: 1, seq: 0)))

            // A restart does not forget that it asked.
            owner = try await bench.owner(lease)
            bench.take(frames[2], seq: 4)
            try await bench.append()
            try await owner.take(try await bench.read(0, after: owner.position))
            #expect(try await bench.events().map(\.rkey) == ["a"])

            try await bench.open(from: 0)
            for (index, frame) in frames.enumerated() { bench.take(frame, seq: Int64(index + 1)) }
            try await bench.append()
            try await owner.take(try await bench.read(0, after: owner.position))
            #expect(try await bench.events().map(\.rkey) == ["a", "b", "c"])
            #expect(try await bench.ledger.resumePosition(upstream) == .at(Position(epoch: 1, seq: 3)))
        }
    }

    @Test("holds a commit whose predecessor another relay brings, and delivers both in order")
    func predecessor() async throws {
        try await WorkBench.with { bench in
            var account = try TestAccount(4, start: bench.clock.start)
            try await bench.know(account)
            try await bench.open("a.example")
            try await bench.open("b.example")
            let frames = [
                try account.commit("app.bsky.feed.post/a", "1").frame(), try account.commit("app.bsky.feed.post/b", "2").frame(),
                try account.commit("app.bsky.feed.post/c", "3").frame(),
            ]
            bench.take(frames[0], seq: 1, host: "a.example")
            bench.take(frames[2], seq: 3, host: "a.example")
            try await bench.append()
            let lease = try await bench.acquire()
            var owner = try await bench.owner(lease)
            try await owner.take(try await bench.read(0, after: owner.position))
            try await owner.sweep()
            #expect(try await bench.events().map(\.rkey) == ["a"])
            #expect(try await bench.number("SELECT count(*) FROM held") == 1)

            // The next owner finds it in the ledger.
            owner = try await bench.owner(lease)
            #expect(owner.heldCount == 1)
            bench.take(frames[1], seq: 1, host: "b.example")
            try await bench.append()
            try await owner.take(try await bench.read(0, after: owner.position))
            try await owner.sweep()
            #expect(try await bench.events().map(\.rkey) == ["a", "b", "c"])
            #expect(try await bench.number("SELECT count(*) FROM held") == 0)
            #expect(owner.heldCount == 0)
        }
    }

    @Test("delivers a held commit once its predecessor is overdue, tells the break first and marks it")
    func overdue() async throws {
        try await WorkBench.with { bench in
            var account = try TestAccount(5, start: bench.clock.start)
            try await bench.know(account)
            try await bench.open()
            let first = try account.commit("app.bsky.feed.post/a", "1").frame()
            _ = try account.commit("app.bsky.feed.post/b", "2")
            bench.take(first, seq: 1)
            bench.take(try account.commit("app.bsky.feed.post/c", "3").frame(), seq: 3)
            bench.take(AccountMessage(seq: 4, did: account.did, time: "2026-01-01T00:00:00Z", active: false, status: "takendown").frame(), seq: 4)
            try await bench.append()
            let lease = try await bench.acquire()
            var owner = try await bench.owner(lease)
            try await owner.take(try await bench.read(0, after: owner.position))
            bench.clock.advance(.seconds(4))
            try await owner.sweep()
            #expect(try await bench.events().count == 1)
            bench.clock.advance(.seconds(2))
            try await owner.sweep()
            let events = try await bench.events()
            #expect(events.map(\.kind) == [.record, .sync, .record, .account])
            #expect(events.map(\.mark) == ["", "", "chain", ""])
            #expect(text(events[1]) == #"{"reason":"missing_predecessor"}"#)
            #expect(text(events[3]) == #"{"active":false,"status":"takendown"}"#)
            #expect(try await bench.number("SELECT count(*) FROM repositories WHERE status = 'inactive'") == 1)
        }
    }

    @Test("does not wait for a key: holds the message, goes on with others, and delivers once the key is there")
    func identity() async throws {
        try await WorkBench.with { bench in
            var unknown = try TestAccount(6, start: bench.clock.start)
            var known = try TestAccount(7, start: bench.clock.start, curve: .p256)
            try await bench.know(known)
            try await bench.open()
            bench.take(try unknown.commit("app.bsky.feed.post/late", "1").frame(), seq: 1)
            bench.take(try known.commit("app.bsky.feed.post/now", "2").frame(), seq: 2)
            try await bench.append()
            let lease = try await bench.acquire()
            var owner = try await bench.owner(lease)
            try await owner.take(try await bench.read(0, after: owner.position))
            #expect(try await bench.events().map(\.rkey) == ["now"])
            #expect(try await bench.number("SELECT count(*) FROM held WHERE reason = 'identity'") == 1)
            let upstream = UpstreamName(kind: .firehose, host: "relay.example")
            #expect(try await bench.ledger.resumePosition(upstream) == .at(Position(epoch: 1, seq: 2)), "a held message is resolved")
            try await bench.know(unknown)
            bench.clock.advance(.seconds(2))
            try await owner.sweep()
            #expect(try await bench.events().map(\.rkey) == ["now", "late"])
        }
    }

    @Test("refuses and keeps what is badly signed or is no message, and goes on")
    func refusals() async throws {
        try await WorkBench.with { bench in
            var account = try TestAccount(8, start: bench.clock.start)
            let stranger = try SigningKey(.k256, secret: [UInt8](repeating: 77, count: 32))
            try await bench.know(account)
            try await bench.open()
            var forged = account
            bench.take(try forged.commit("app.bsky.feed.post/forged", "x", signedBy: stranger).frame(), seq: 1)
            bench.take([0xff, 0x00, 0x01], seq: 2)
            bench.take(try account.commit("app.bsky.feed.post/a", "1").frame(), seq: 3)
            try await bench.append()
            let lease = try await bench.acquire()
            var owner = try await bench.owner(lease)
            try await owner.take(try await bench.read(0, after: owner.position))
            #expect(try await bench.events().map(\.rkey) == ["a"])
            #expect(try await bench.number("SELECT count(*) FROM refused WHERE reason = 'badSignature' AND frame_size > 100") == 1)
            #expect(try await bench.number("SELECT count(*) FROM refused WHERE reason = 'malformedMessage' AND length(frame) = 3") == 1)
            #expect(try await bench.number("SELECT sum(count)::bigint FROM refused_counts") == 2)
        }
    }

    @Test(
        "an entry of a session or numbering that was never given out is refused and counted, and the sessions after it are followed",
        arguments: [(session: Int64.max, epoch: Int32(1)), (session: nil, epoch: .max)] as [(session: Int64?, epoch: Int32)])
    func damaged(session: Int64?, epoch: Int32) async throws {
        try await WorkBench.with { bench in
            var account = try TestAccount(0, start: bench.clock.start)
            try await bench.know(account)
            try await bench.open()
            let position = Position(epoch: epoch, seq: 5)
            let gap = UpstreamEntry.Gap(after: Position(epoch: 0, seq: 0), through: position)
            let forged = UpstreamEntry(
                host: "relay.example", session: session ?? bench.session(), n: 0, position: position, kind: .open, gap: gap)
            let unheard = UpstreamEntry(host: "unheard.example", session: 1, n: 0, position: Position(epoch: 0, seq: 5), kind: .open)
            for entry in [forged, forged, unheard] { _ = await bench.streams.append([AppendItem(shard: 0, entry: entry)]) }
            bench.take(try account.commit("app.bsky.feed.post/a", "1").frame(), seq: 1)
            try await bench.append()
            let lease = try await bench.acquire()
            var owner = try await bench.owner(lease)
            try await owner.take(try await bench.read(0, after: owner.position))
            #expect(try await bench.events().map(\.rkey) == ["a"])
            #expect(try await bench.number("SELECT sum(count)::bigint FROM refused_counts WHERE reason = 'undecodableEntry'") == 3)

            // As if one had been followed, by a worker that did not ask.
            try await bench.look.execute(
                "INSERT INTO session_progress (upstream, shard, session, expected_n, broken) SELECT id, 0, \(Int64.max), 1, false FROM upstreams")
            owner = try await bench.owner(lease)
            try await bench.open(from: 1)
            bench.take(try account.commit("app.bsky.feed.post/b", "2").frame(), seq: 2)
            try await bench.append()
            try await owner.take(try await bench.read(0, after: owner.position))
            #expect(try await bench.events().map(\.rkey) == ["a", "b"])
            let upstream = UpstreamName(kind: .firehose, host: "relay.example")
            #expect(try await bench.ledger.resumePosition(upstream) == .at(Position(epoch: 1, seq: 2)))
            #expect(try await bench.number("SELECT count(*) FROM rewinds") == 0)
        }
    }

    @Test("keeps what barriers alone moved, so that a restart finds no hole where there is none")
    func quiet() async throws {
        try await WorkBench.with { bench in
            var account = try TestAccount(9, start: bench.clock.start)
            try await bench.know(account)
            try await bench.open("quiet.example")
            let lease = try await bench.acquire()
            var owner = try await bench.owner(lease)
            var read = EntryID.zero
            for _ in 0..<4 {
                try await bench.append()
                let entries = try await bench.read(0, after: read)
                read = entries.last?.id ?? read
                try await owner.take(entries)
            }
            #expect(owner.position < read, "what barriers alone moved is not committed for each of them")

            // Another upstream's message commits a position behind the quiet one's barriers.
            try await bench.open("busy.example")
            bench.take(try account.commit("app.bsky.feed.post/a", "1").frame(), seq: 1, host: "busy.example")
            try await bench.append(only: "busy.example")
            try await owner.take(try await bench.read(0, after: read))
            owner = try await bench.owner(lease)
            #expect(owner.position > read)
            try await bench.append(only: "quiet.example")
            bench.clock.advance(.seconds(4))
            try await owner.take(try await bench.read(0, after: owner.position))
            #expect(try await bench.number("SELECT count(*) FROM rewinds") == 0)
        }
    }
}
