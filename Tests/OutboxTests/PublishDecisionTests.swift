import Events
import Flow
import Testing

@testable import Ledger
@testable import Outbox

@Suite struct PublishDecisionTests {
    private func claim(next: Int64, last: Int64) -> OutboxClaim {
        OutboxClaim(run: .firehose(0), sink: "outlet", nextSeq: next, lastSeq: last, token: FencingToken(1))
    }

    private func events(_ seqs: [Int64], bytes: Int = 0) -> [LogEvent] {
        seqs.map { LogEvent(run: .firehose(0), seq: $0, kind: .record, did: "", body: [UInt8](repeating: 0x31, count: bytes)) }
    }

    @Test("what follows the cursor is published, up to a gap")
    func plan() {
        #expect(PublishPlan(claim: claim(next: 3, last: 9), events: events([3, 4, 5])) == .publish(events([3, 4, 5])))
        #expect(PublishPlan(claim: claim(next: 3, last: 9), events: events([3, 4, 6])) == .publish(events([3, 4])))
        #expect(PublishPlan(claim: claim(next: 3, last: 9), events: events([5])) == .gap(expected: 3, lastGood: 2, found: 5))
        #expect(PublishPlan(claim: claim(next: 3, last: 9), events: []) == .gap(expected: 3, lastGood: 2, found: nil))
        #expect(PublishPlan(claim: claim(next: 10, last: 9), events: []) == .idle)
    }

    @Test("large events make an outlet keep fewer entries, never fewer than the batch")
    func bound() {
        var bound = OutletBound(entries: 20_000, bytes: 1 << 20)
        #expect(bound.keep(after: events([1], bytes: 0)) == 6553)
        for _ in 0..<50 { _ = bound.keep(after: events([1], bytes: 1 << 20)) }
        #expect(bound.keep(after: events([1, 2, 3], bytes: 1 << 20)) == 3)
    }

    @Test("a lease that is no longer trusted publishes nothing")
    func untrusted() async throws {
        let (store, outlet) = (MemoryOutbox(), MemoryOutlet())
        await store.append(.firehose(0), count: 3)
        let claims = try await store.claimOutbox(sink: "outlet", publisher: WorkerID("a"), ttl: .seconds(5), limit: 1)
        var lease = LeaseClock(timeToLive: .seconds(5), margin: .milliseconds(500))
        lease.renewed(callStartedAt: .zero)
        let publisher = ClaimPublisher(
            configuration: PublisherConfiguration(), store: store, outlet: outlet, now: { MonotonicTime(sinceStart: .milliseconds(4500)) },
            lease: lease)
        var bound = OutletBound(entries: 10, bytes: 1 << 20)
        let outcome = await publisher.publish(try #require(claims.first), bound: &bound)
        guard case .untrusted = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(await outlet.streams.isEmpty)
    }

    @Test("the configuration says what is out of range")
    func configuration() {
        var configuration = PublisherConfiguration()
        #expect(configuration.problems().isEmpty)
        configuration.claims = 0
        configuration.leaseMargin = .seconds(4)
        #expect(configuration.problems().count == 2)
    }
}
