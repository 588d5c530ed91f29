import Events
import NIOCore
import NIOHTTP1
import Testing

@testable import Ledger
@testable import Serve

@Suite struct ServeDecisionTests {
    @Test(
        "a cursor's text gives back its seqs",
        arguments: [[0], [1, 2, 3], [Int64](repeating: 1 << 53, count: 1024), [0, 1 << 53], (0..<32).map { 1_000_000 + $0 * 97 }] as [[Int64]])
    func cursor(seqs: [Int64]) {
        let text = MergedCursor(seqs: seqs).description
        #expect(MergedCursor(text)?.seqs == seqs)
        if seqs.count == 32 { #expect(text.utf8.count < 100) }
    }

    @Test("other texts are no cursors", arguments: ["", "A", "AQ", "AQEA", "AQEAAA=", "AgEAAA", "AQEAAAAA", "AQEA\u{E9}", "AQEAAP", "AYAIAA"])
    func notCursors(text: String) {
        #expect(MergedCursor(text) == nil)
    }

    @Test("a target that is no path, or whose escapes are wrong, is refused", arguments: ["*", "http://a/", "/%zz", "/%4", "/%ff", "/a?b=%c3%28"])
    func badTargets(target: String) {
        #expect { try Request(method: .GET, target: target) } throws: { ($0 as? Problem)?.code == .badRequest }
    }

    @Test("a target is taken apart and unescaped")
    func target() throws {
        let request = try Request(method: .GET, target: "/runs/a%2Fb/stream?x=1+2&y=%C3%A9&z")
        #expect(request.path == "/runs/a/b/stream")
        #expect(request.query.map { "\($0.name)=\($0.value)" } == ["x=1 2", "y=é", "z="])
    }

    @Test("only what follows the cursor is delivered")
    func step() {
        let events = testEvents(.firehose(0), from: 3, count: 3)
        #expect(CursorStep(after: 2, events: events) == .deliver(events))
        #expect(CursorStep(after: 3, events: events) == .deliver(Array(events.dropFirst())))
        #expect(CursorStep(after: 1, events: events) == .hole(next: 3))
        #expect(CursorStep(after: 5, events: events) == .nothing)
        #expect(CursorStep(after: 2, events: events + testEvents(.firehose(0), from: 8, count: 2)) == .deliver(events))
    }

    @Test("what a client has already is not delivered again, also where a step of reading overlaps with the topic")
    func repeats() {
        let events = testEvents(.firehose(0), from: 1, count: 6).map(StreamItem.event)
        let start = StreamRenderer(isMerged: false, selection: EventSelection(), positions: [0])
        let first = StreamChunk(start, items: Array(events[..<4]), of: 0)
        #expect(first.events == 4)
        let overlapping = StreamChunk(first.renderer, items: events, of: 0)
        #expect(overlapping.events == 2)
        #expect(overlapping.renderer.positions == [6])
        #expect(StreamChunk(overlapping.renderer, items: events, of: 0).bytes == nil)
        let gap = StreamItem.gap(StreamGap(run: .firehose(0), from: 5, to: 9, why: ""))
        let text = StreamChunk(overlapping.renderer, items: [gap], of: 0).bytes.map { String(buffer: $0) }
        #expect(text?.contains(#""from":7,"to":9"#) == true)
    }

    @Test("a topic keeps the newest within its bounds, and sends those before it elsewhere")
    func topic() throws {
        let topic = OutletTopic(run: .firehose(0), limits: OutletTopic.Limits(events: 4, bytes: 1 << 20))
        guard case .behind = topic.slice(after: 0, limit: 10) else { return #expect(Bool(false)) }
        #expect(topic.activate(at: 10))
        #expect(!topic.activate(at: 3))
        let new = testEvents(.firehose(0), from: 9, count: 8).map(StreamItem.event)
        #expect(topic.append(new))
        #expect(!topic.append(new))
        #expect(topic.tip == 16)
        guard case .behind = topic.slice(after: 11, limit: 10) else { return #expect(Bool(false)) }
        guard case .items(let items) = topic.slice(after: 13, limit: 2) else { return #expect(Bool(false)) }
        #expect(items.map(\.through) == [14, 15])
        guard case .upToDate = topic.slice(after: 20, limit: 2) else { return #expect(Bool(false)) }
    }

    @Test("all followed runs together keep within their bytes, also those that had more when there were fewer")
    func topicsTogether() throws {
        let bytesOfAll = 64 << 10
        let board = TopicBoard(limits: OutletTopic.Limits(events: 4096, bytes: 1 << 20), bytesOfAll: bytesOfAll, keepIdle: .zero)
        let now = MonotonicTime(sinceStart: .zero)
        var topics: [OutletTopic] = []
        for shard in 0..<8 {
            let topic = board.join(.firehose(shard))
            #expect(topic.activate(at: 0))
            topics.append(topic)
            #expect(board.followed(now: now).count == shard + 1)
            #expect(topic.append(testEvents(.firehose(shard), count: 300, bytes: 200).map(StreamItem.event)))
            let kept = topics.reduce(0) { $0 + $1.bytes }
            #expect(kept <= bytesOfAll)
            #expect(kept > bytesOfAll / 2)
        }
        // The newest are what is kept, and readers of others are sent elsewhere.
        for topic in topics {
            guard case .items(let items) = topic.slice(after: 298, limit: 10) else { return #expect(Bool(false)) }
            #expect(items.map(\.through) == [299, 300])
            guard case .behind = topic.slice(after: 100, limit: 10) else { return #expect(Bool(false)) }
        }
        // One that is let go leaves its bytes to the others.
        for shard in 1..<8 { board.leave(.firehose(shard), now: now) }
        _ = board.followed(now: MonotonicTime(sinceStart: .seconds(1)))
        #expect(topics[0].append(testEvents(.firehose(0), from: 301, count: 50, bytes: 200).map(StreamItem.event)))
        #expect(topics[0].bytes > bytesOfAll / 4)
    }

    @Test("a topic whose newest event is above its bytes keeps nothing, and its readers read on by themselves")
    func tooLargeForTopic() throws {
        let topic = OutletTopic(run: .firehose(0), limits: OutletTopic.Limits(events: 16, bytes: 4096))
        #expect(topic.activate(at: 0))
        #expect(topic.append(testEvents(.firehose(0), count: 1, bytes: 8192).map(StreamItem.event)))
        #expect(topic.tip == 1)
        #expect(topic.bytes == 0)
        guard case .behind = topic.slice(after: 0, limit: 1) else { return #expect(Bool(false)) }
        guard case .upToDate = topic.slice(after: 1, limit: 1) else { return #expect(Bool(false)) }
    }

    @Test("what has work and stands still is not ready; a stand-by is")
    func readiness() {
        func at(_ seconds: Int) -> MonotonicTime { MonotonicTime(sinceStart: .seconds(seconds)) }
        var judge = ReadinessJudge(scope: .fleet, stallAfter: .seconds(30))
        #expect(judge.reasons(.test(owner: "w", lastSeq: 5, nextSeq: 3), now: at(0)).isEmpty)
        #expect(judge.reasons(.test(owner: "w", lastSeq: 5, nextSeq: 3), now: at(31)).map(\.code) == [.shardStalled, .outletStalled])
        #expect(judge.reasons(.test(owner: "w", offset: 2, lastSeq: 5, nextSeq: 6), now: at(32)).isEmpty)
        #expect(judge.reasons(.test(owner: "w", offset: 2, report: .paused), now: at(99)).isEmpty)
        #expect(judge.reasons(.test(owner: "w", offset: 2, report: .backingOff), now: at(100)).isEmpty)
        #expect(judge.reasons(.test(owner: "w", offset: 2, report: .backingOff), now: at(131)).map(\.code) == [.upstreamDown])

        var standBy = ReadinessJudge(scope: .owned(by: WorkerID("other")), stallAfter: .seconds(30))
        #expect(standBy.reasons(.test(owner: nil), now: at(0)).isEmpty)
    }

    @Test("a backfill makes no fleet unready and no shard look stalled; whoever does it is judged by it")
    func backfillReadiness() {
        func at(_ seconds: Int) -> MonotonicTime { MonotonicTime(sinceStart: .seconds(seconds)) }
        func status(_ state: UpstreamReport.State, owner: String?) -> FleetStatus {
            var status = FleetStatus.test(owner: "w", report: .paused)
            status.upstreams.append(
                FleetStatus.Upstream(
                    name: UpstreamName(kind: .backfill, host: "pds.test"), owner: owner, leaseMsLeft: owner == nil ? -1 : 3000, session: nil,
                    report: UpstreamReport(state: state), reportAgeMs: owner == nil ? 99_000 : 100, watermark: nil, rewindPending: false,
                    declaredGaps: 0))
            return status
        }
        var fleet = ReadinessJudge(scope: .fleet, stallAfter: .seconds(30))
        var owner = ReadinessJudge(scope: .owned(by: WorkerID("b")), stallAfter: .seconds(30))
        for seconds in [0, 31, 62] {
            #expect(fleet.reasons(status(.streaming, owner: nil), now: at(seconds)).isEmpty)
            #expect(fleet.reasons(status(.streaming, owner: "b"), now: at(seconds)).isEmpty)
            #expect(fleet.reasons(status(.backingOff, owner: "b"), now: at(seconds)).isEmpty)
            #expect(owner.reasons(status(.streaming, owner: "b"), now: at(seconds)).isEmpty)
            #expect(owner.reasons(status(.streaming, owner: nil), now: at(seconds)).isEmpty)
        }
        #expect(owner.reasons(status(.backingOff, owner: "b"), now: at(70)).isEmpty)
        #expect(owner.reasons(status(.backingOff, owner: "b"), now: at(101)).map(\.code) == [.upstreamDown])
    }

    @Test("a shard's labels are judged for themselves: by labelers that stream, and by what is published of them")
    func labelReadiness() {
        func at(_ seconds: Int) -> MonotonicTime { MonotonicTime(sinceStart: .seconds(seconds)) }
        var status = FleetStatus.test(owner: "w", lastSeq: 5, nextSeq: 6)
        status.upstreams[0].name = UpstreamName(kind: .labeler, host: "labeler.test")
        var judge = ReadinessJudge(scope: .fleet, stallAfter: .seconds(30))
        #expect(judge.reasons(status, now: at(0)).isEmpty)
        let stalled = judge.reasons(status, now: at(31))
        #expect(stalled.map(\.code) == [.shardStalled] && stalled.map(\.entity) == ["labels of shard 0"])
        status.shards[0].labels = FleetStatus.LogStatus(offset: EntryID(milliseconds: 2, sequence: 0), lastSeq: 3, lastCommitAgeMs: 100, nextSeq: 2)
        #expect(judge.reasons(status, now: at(32)).isEmpty)
        let unpublished = judge.reasons(status, now: at(70))
        #expect(unpublished.map(\.code) == [.outletStalled] && unpublished.map(\.entity) == ["labels of shard 0"])
        status.upstreams[0].report?.state = .stopped
        #expect(judge.reasons(status, now: at(71)).last?.code == .upstreamDown)
    }

    @Test("the bind address is a host and a port", arguments: [("127.0.0.1:7480", "127.0.0.1", 7480), ("[::1]:0", "::1", 0)])
    func bind(text: String, host: String, port: Int) {
        #expect(BindAddress(text)?.host == host)
        #expect(BindAddress(text)?.port == port)
        #expect(BindAddress(text)?.description == text)
    }

    @Test("other texts are no address", arguments: ["", "7480", ":7480", "::1:7480", "host:", "host:70000"])
    func notBind(text: String) { #expect(BindAddress(text) == nil) }

    @Test("an HTTP date is the weekday's too")
    func date() {
        #expect(HTTPDate.text(WallTime(microseconds: 784_111_777_000_000)) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }
}
