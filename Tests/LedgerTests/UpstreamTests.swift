import Events
import Testing

@testable import Ledger

@Suite(.timeLimit(.minutes(10))) struct UpstreamTests {
    @Test func `one of many processes owns an upstream, and its token grows with each owner`() async throws {
        let test = try await TestLedger.make()
        let name = UpstreamName(kind: .firehose, host: "relay.example")
        let owners = try await withThrowingTaskGroup(of: UpstreamLease?.self) { group in
            for number in 0..<6 {
                group.addTask {
                    try await test.ledger.acquireUpstream(name, worker: WorkerID("\(test.schema)-\(number)"), ttl: TestLedger.ttl)
                }
            }
            return try await group.reduce(into: [UpstreamLease]()) { if let lease = $1 { $0.append(lease) } }
        }
        #expect(owners.count == 1)
        let lease = try #require(owners.first)
        try await test.ledger.releaseUpstream(lease)
        #expect(try await test.upstream().token > lease.token)
        try await test.end()
    }

    @Test func `renewal covers all upstreams at once and leaves out what was lost`() async throws {
        let test = try await TestLedger.make()
        let kept = try await test.upstream("a")
        let lost = try await test.upstream("b")
        try await test.ledger.releaseUpstream(lost)
        let renewed = try await test.ledger.renewUpstreams([kept, lost], worker: test.worker, ttl: TestLedger.ttl)
        #expect(renewed == [UpstreamLeaseStatus(lease: kept, rewindOf: nil)])
        try await test.end()
    }

    @Test func `the resume position is the least of the watermarks, and the baseline where a shard has none`() async throws {
        let test = try await TestLedger.make(shards: 2)
        let lease = try await test.upstream()
        #expect(try await test.ledger.resumePosition(lease.upstream) == .none)
        let session = try await test.ledger.openSession(lease, from: Position(epoch: 0, seq: 100), gap: nil)
        #expect(try await test.ledger.resumePosition(lease.upstream) == .at(Position(epoch: 0, seq: 100)))

        func raise(_ shard: Shard, to seq: Int64, epoch: Int32 = 0) async throws {
            var batch = ShardBatch(lease: try await test.lease(shard))
            batch.watermarks[lease.upstream] = Position(epoch: epoch, seq: seq)
            _ = try await test.ledger.commit(batch)
        }
        try await raise(0, to: 300)
        #expect(try await test.ledger.resumePosition(lease.upstream) == .at(Position(epoch: 0, seq: 100)))
        try await raise(1, to: 200)
        #expect(try await test.ledger.resumePosition(lease.upstream) == .at(Position(epoch: 0, seq: 200)))
        // A watermark never turns back.
        try await raise(1, to: 50)
        #expect(try await test.ledger.resumePosition(lease.upstream) == .at(Position(epoch: 0, seq: 200)))
        // A later session of the same numbering leaves the baseline; one of a new numbering is the new baseline.
        #expect(try await test.ledger.openSession(lease, from: Position(epoch: 0, seq: 250), gap: nil) > session)
        #expect(try await test.ledger.resumePosition(lease.upstream) == .at(Position(epoch: 0, seq: 200)))
        _ = try await test.ledger.openSession(lease, from: Position(epoch: 1, seq: 7), gap: nil)
        #expect(try await test.ledger.resumePosition(lease.upstream) == .at(Position(epoch: 1, seq: 7)))
        let state = try await test.ledger.shardState(try await test.lease(0))
        #expect(state.watermarks == [lease.upstream: Position(epoch: 0, seq: 300)], "what it lacks of the old numbering is not hidden")
        try await raise(0, to: 9, epoch: 1)
        #expect(try await test.ledger.resumePosition(lease.upstream) == .at(Position(epoch: 1, seq: 7)))
        try await test.end()
    }

    @Test func `the numbers that were given out are those of the last session, of each upstream by itself`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.upstream()
        let other = try await test.upstream("other.example")
        #expect(try await test.ledger.issuedNumbers(lease.upstream) == nil)
        _ = try await test.ledger.openSession(lease, from: Position(epoch: 0, seq: 1), gap: nil)
        let second = try await test.ledger.openSession(lease, from: Position(epoch: 2, seq: 1), gap: nil)
        let others = try await test.ledger.openSession(other, from: Position(epoch: 0, seq: 1), gap: nil)
        #expect(others > second)
        #expect(try await test.ledger.issuedNumbers(lease.upstream) == IssuedNumbers(session: second, epoch: 2))
        #expect(try await test.ledger.issuedNumbers(other.upstream) == IssuedNumbers(session: others, epoch: 0))
        try await test.end()
    }

    @Test func `a rewind names a session and counts only while that one is current`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.upstream()
        let first = try await test.ledger.openSession(lease, from: Position(epoch: 0, seq: 1), gap: nil)
        for shard in 0..<4 {
            var batch = ShardBatch(lease: try await test.lease(shard))
            batch.rewinds = [(lease.upstream, first)]
            _ = try await test.ledger.commit(batch)
        }
        #expect(try await test.number("SELECT count(*) FROM rewinds") == 1)
        #expect(try await test.ledger.renewUpstreams([lease], worker: test.worker, ttl: TestLedger.ttl).first?.rewindOf == first)
        _ = try await test.ledger.openSession(lease, from: Position(epoch: 0, seq: 1), gap: nil)
        var late = ShardBatch(lease: try await test.lease(0))
        late.rewinds = [(lease.upstream, first)]
        _ = try await test.ledger.commit(late)
        #expect(
            try await test.ledger.renewUpstreams([lease], worker: test.worker, ttl: TestLedger.ttl).first
                == UpstreamLeaseStatus(lease: lease, rewindOf: nil))
        try await test.end()
    }

    @Test func `what an owner says counts only under its token`() async throws {
        let test = try await TestLedger.make()
        let lease = try await test.upstream()
        let gap = UpstreamEntry.Gap(after: Position(epoch: 0, seq: 1), through: Position(epoch: 0, seq: 9))
        let session = try await test.ledger.openSession(lease, from: Position(epoch: 0, seq: 9), gap: gap)
        let report = UpstreamReport(state: .streaming, position: Position(epoch: 0, seq: 12), events: 3, bytes: 900)
        try await test.ledger.reportUpstream(lease, report: report)
        try await test.ledger.reportUpstream(lease, report: report)
        let status = try #require(try await test.ledger.status().upstreams.first)
        #expect(status.report == report)
        #expect(status.session == session)
        #expect(status.declaredGaps == 1)
        #expect(status.watermark == Position(epoch: 0, seq: 9))
        #expect(status.leaseMsLeft > 0)
        try await test.ledger.closeSession(lease, session: session, reason: "EOF\0", last: Position(epoch: 0, seq: 12))

        let zombie = UpstreamLease(upstream: lease.upstream, token: FencingToken(lease.token.value - 1))
        #expect(await failure { _ = try await test.ledger.openSession(zombie, from: Position(epoch: 0, seq: 0), gap: nil) }?.code == .fenced)
        #expect(await failure { try await test.ledger.reportUpstream(zombie, report: report) }?.code == .fenced)
        #expect(
            await failure { try await test.ledger.closeSession(zombie, session: session, reason: "", last: Position(epoch: 0, seq: 0)) }?.code
                == .fenced)
        #expect(try await test.number("SELECT count(*) FROM sessions") == 1)
        try await test.end()
    }
}
