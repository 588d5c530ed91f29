import ATProto
import Events
import Ledger
import NIOCore
import Testing

@testable import Ingest

@Suite("From where a connection goes on, and how it numbers") struct FeedPlanTests {
    private static func at(_ seq: Int64, epoch: Int32 = 3) -> Position { Position(epoch: epoch, seq: seq) }

    @Test("a hint is believed above the watermark, in the watermark's own numbering, and while no rewind is asked for")
    func hints() {
        func plan(_ hint: Position?, rewind: Bool = false) -> FeedPlan {
            .next(resume: .at(Self.at(100)), hint: hint, rewind: rewind, start: .live)
        }
        #expect(plan(nil) == .resume(Self.at(100)))
        #expect(plan(Self.at(120)) == .resume(Self.at(120)))
        #expect(plan(Self.at(120), rewind: true) == .resume(Self.at(100)))
        #expect(plan(Self.at(90)) == .resume(Self.at(100)))
        #expect(plan(Self.at(500, epoch: 2)) == .resume(Self.at(100)))
        // Nobody has opened a session there: whoever wrote this was no ingester.
        #expect(plan(Self.at(120, epoch: 4)) == .resume(Self.at(100)))
        #expect(plan(Self.at(.max, epoch: .max)) == .resume(Self.at(100)))
    }

    @Test("a new numbering has the next epoch, and declares what is lost between")
    func newNumbering() {
        let opening = SessionOpening(from: Self.at(6, epoch: 4), gap: .init(after: Self.at(100), through: Self.at(6, epoch: 4)))
        #expect(FeedPlan.newNumbering(after: Self.at(100)).opening(first: 7) == opening)
    }

    @Test("where no epoch is left, a new numbering ends the connection with a reason for people, and not the process")
    func noEpochLeft() {
        let last = Self.at(100, epoch: .max)
        #expect(SessionOpening.newNumbering(after: last, first: 1) == nil)
        let end = FeedRouter.Step.end(ConnectionEnd(.epochsExhausted))
        func frame(_ seq: Int64) -> WebSocketMessage {
            .binary(ByteBuffer(bytes: IdentityMessage(seq: seq, did: "did:plc:a", time: "t", handle: "a.test").frame()))
        }
        var fresh = FeedRouter(feed: .firehose, host: "relay", plan: .newNumbering(after: last), shards: ShardMap(count: 2))
        #expect(fresh.route(frame(1)) == end)
        var running = FeedRouter(feed: .firehose, host: "relay", plan: .resume(last), shards: ShardMap(count: 2))
        running.opened(.at(last))
        guard case .entry = running.route(frame(1_000)) else {
            Issue.record("not routed")
            return
        }
        #expect(running.route(frame(1)) == end)
    }
}
