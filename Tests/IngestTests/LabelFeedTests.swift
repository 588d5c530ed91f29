import ATProto
import Broker
import Events
import Flow
import Ledger
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Ingest

@Suite("Labelers as a feed", .timeLimit(.minutes(10)))
struct LabelFeedTests {
    private static let did = "did:plc:llllllllllllllllllllllll"

    private static func label(_ uri: String, _ val: String = "spam") -> Label {
        Label(src: "did:plc:l", uri: uri, val: val, cts: "2026-01-01T00:00:00Z")
    }

    private static func message(_ frame: [UInt8]) -> WebSocketMessage { .binary(ByteBuffer(bytes: frame)) }

    private static func router(_ plan: FeedPlan, shards: Int = 8) -> FeedRouter {
        var router = FeedRouter(feed: .labels, host: "labeler.test", plan: plan, shards: ShardMap(count: shards))
        if let opening = plan.opening { router.opened(opening) }
        return router
    }

    // MARK: Routing

    @Test("a message goes whole, and once, to every shard that one of its labels belongs to; a label without an account to the host's")
    func shards() throws {
        let map = ShardMap(count: 8)
        let uris = ["did:web:a.test", "at://did:web:b.test/x.y.z/k", "at://did:web:a.test/x.y.z/k", "did:web:c.test"]
        let frame = LabelsMessage(seq: 6, labels: uris.map { Self.label($0) }).frame()
        var router = Self.router(.resume(Position(epoch: 2, seq: 5)))
        guard case .entries(let entries) = router.route(Self.message(frame)) else {
            Issue.record("not routed")
            return
        }
        #expect(entries.map(\.shard) == Set(["did:web:a.test", "did:web:b.test", "did:web:c.test"].map { map.shard(of: $0) }).sorted())
        #expect(entries.allSatisfy { $0.frame == ByteBuffer(bytes: frame) && $0.entry.kind == .labels && $0.entry.position.seq == 6 })
        #expect(router.position == Position(epoch: 2, seq: 6))

        let bad: CBORValue = ["seq": 7, "labels": [["uri": "at://handle.test"], 5]]
        let badFrame = (["op": 1, "t": "#labels"] as CBORValue).encode() + bad.encode()
        guard case .entries(let own) = router.route(Self.message(badFrame)) else {
            Issue.record("not routed")
            return
        }
        #expect(own.map(\.shard) == [map.shard(of: "labeler.test")])
        #expect(router.route(Self.message(LabelsMessage(seq: 8, labels: []).frame())) == .entries([]))
        #expect(router.position == Position(epoch: 2, seq: 8))
    }

    @Test("messages of the other feed are unknown here, and keep their place")
    func otherFeed() {
        let identity = IdentityMessage(seq: 6, did: "did:plc:a", time: "t").frame()
        var labels = Self.router(.resume(Position(epoch: 0, seq: 5)))
        var firehose = FeedRouter(feed: .firehose, host: "relay", plan: .resume(Position(epoch: 0, seq: 5)), shards: ShardMap(count: 8))
        firehose.opened(.at(Position(epoch: 0, seq: 5)))
        for step in [
            labels.route(Self.message(identity)), firehose.route(Self.message(LabelsMessage(seq: 6, labels: [Self.label("did:plc:a")]).frame())),
        ] {
            guard case .entry(let routed) = step else {
                Issue.record("not routed: \(step)")
                continue
            }
            #expect(routed.entry.kind == .unknown && routed.entry.position == Position(epoch: 0, seq: 6))
        }
    }

    @Test("every fall of a labeler's numbers is a new numbering; only the highest itself may come again")
    func falls() {
        func route(_ router: inout FeedRouter, _ seq: Int64) -> FeedRouter.Step {
            router.route(Self.message(LabelsMessage(seq: seq, labels: [Self.label("did:plc:a")]).frame()))
        }
        var router = Self.router(.resume(Position(epoch: 0, seq: 5)))
        for seq in [5, 6, 6, 9] as [Int64] {
            guard case .entries = route(&router, seq) else {
                Issue.record("\(seq) was not routed")
                return
            }
        }
        let opening = SessionOpening(
            from: Position(epoch: 1, seq: 7), gap: .init(after: Position(epoch: 0, seq: 9), through: Position(epoch: 1, seq: 7)))
        #expect(route(&router, 8) == .open(opening))
        router.opened(opening)
        guard case .entries = route(&router, 8) else {
            Issue.record("not routed")
            return
        }
        // One whose numbers begin below the one that was asked for numbers anew, and has not said so.
        var silent = Self.router(.resume(Position(epoch: 3, seq: 50)))
        #expect(route(&silent, 7) == .end(ConnectionEnd(.futureCursor(Position(epoch: 3, seq: 50)))))
    }

    // MARK: Sessions

    @Test("labels stand in the streams of their shards, with barriers up to the last, and the subscription is the labelers'")
    func wholeStream() async throws {
        try await IngestLab.run(.labels) {
            $0.start = .earliest
        } _: { lab in
            lab.relay.publishLabels(1...500)
            lab.relay.publish(frames: [(501, LabelsMessage(seq: 501, labels: (0..<20).map { Self.label("did:web:d\($0).test") }).frame())])
            try await lab.withReplica { await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 501) } }
            let labels = lab.fleet.state.labels[lab.host] ?? []
            #expect(labels.filter { $0.position.seq <= 500 }.map(\.position.seq).sorted() == Array(1...500))
            #expect(Set(labels.filter { $0.position.seq == 501 }.map(\.shard)) == [0, 1, 2, 3])
            #expect(lab.relay.state.withLock { $0.paths } == ["/xrpc/com.atproto.label.subscribeLabels"])
            #expect(lab.fleet.state.reports[lab.host]?.events ?? 0 <= 501)
        }
    }

    private static let futureCursor: @Sendable (Int64?) -> [UInt8]? = { cursor in
        (cursor ?? 0) > 100 ? ErrorMessage(error: "FutureCursor", message: "ahead").frame() : nil
    }

    @Test("a labeler that starts anew is read from its beginning in a new epoch, whether it says so or not", arguments: [true, false])
    func restart(saysSo: Bool) async throws {
        try await IngestLab.run(.labels) {
            $0.start = .earliest
            $0.futureCursor = .earliest
        } _: { lab in
            lab.relay.publishLabels(1...300)
            try await lab.withReplica {
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 300) }
                if saysSo { lab.relay.state.withLock { $0.greeting = Self.futureCursor } }
                lab.relay.restart()
                lab.relay.publishLabels(1...40)
                try await lab.relay.asked { $0.count > 1 }
                lab.relay.publishLabels(41...50)
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 1, seq: 50) }
            }
            let labels = (lab.fleet.state.labels[lab.host] ?? []).filter { $0.position.epoch == 1 }
            #expect(labels.map(\.position.seq).sorted() == Array(1...50))
            let opened = lab.fleet.state.sessions.first { $0.from.epoch == 1 }
            #expect(opened?.from.seq == 0 && opened?.gap?.after == Position(epoch: 0, seq: 300))
            #expect(lab.relay.cursors.contains(0))
        }
    }

    @Test("numbers that fall inside a connection open a new epoch, however small the fall is")
    func falling() async throws {
        try await IngestLab.run(.labels) {
            $0.start = .earliest
        } _: { lab in
            lab.relay.publishLabels(1...10)
            try await lab.withReplica {
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 10) }
                lab.relay.publishLabels(1...5, val: "again")
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 1, seq: 5) }
            }
            #expect(lab.fleet.state.sessions.last?.from == Position(epoch: 1, seq: 0))
            #expect(lab.fleet.state.labels[lab.host]?.count == 15)
        }
    }

    // MARK: By DID

    private static func run(
        _ change: @escaping @Sendable (inout FeedIngesterConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (IngestLab) async throws -> Void
    ) async throws {
        try await IngestLab.run(
            .labels,
            change: {
                $0.start = .earliest
                $0.hosts = []
                $0.labelers = [did]
                change(&$0)
            }, body)
    }

    @Test("a labeler is found through its document, once it is there, and says meanwhile what it lacks")
    func resolved() async throws {
        try await Self.run { lab in
            lab.relay.publishLabels(1...20)
            lab.directory.say(.absent(reason: "the document names no labeler"), of: Self.did)
            try await lab.withReplica {
                await lab.fleet.until { $0.reports[Self.did]?.state == .backingOff }
                #expect(lab.fleet.state.reports[Self.did]?.reason.contains("names no labeler") == true)
                lab.directory.say(.found("http://\(lab.host)"), of: Self.did)
                await lab.fleet.until { $0.watermark(Self.did) == Position(epoch: 0, seq: 20) }
            }
            #expect(lab.fleet.state.endpoints[Self.did] == "ws://\(lab.host)")
            #expect(lab.fleet.state.sessions.map(\.host) == [Self.did])
        }
    }

    @Test("a labeler that moves keeps its name, and its new host is read from the beginning, in a new epoch")
    func moved() async throws {
        try await Self.run {
            $0.resolveInterval = .milliseconds(20)
        } _: { lab in
            lab.relay.publishLabels(1...20)
            lab.directory.say(.found("http://\(lab.host)"), of: Self.did)
            try await lab.withReplica {
                await lab.fleet.until { $0.watermark(Self.did) == Position(epoch: 0, seq: 20) }
                // The same server under another name.
                let port = lab.host.split(separator: ":").last ?? ""
                lab.directory.say(.found("http://localhost:\(port)"), of: Self.did)
                await lab.fleet.until { $0.watermark(Self.did) == Position(epoch: 1, seq: 20) }
                // While nobody can tell it stays where it was, also for a new connection.
                lab.directory.say(.unknown(reason: "the directory is down"), of: Self.did)
                lab.relay.restart()
                lab.relay.publishLabels(21...30)
                await lab.fleet.until { $0.watermark(Self.did) == Position(epoch: 1, seq: 30) }
                lab.directory.say(.found("http://\(lab.host)"), of: Self.did)
                await lab.fleet.until { $0.watermark(Self.did) == Position(epoch: 2, seq: 30) }
            }
            // One session where it was read first, two where it moved to, one back where it was.
            #expect(lab.fleet.state.sessions.map(\.from) == [(0, 0), (1, 0), (1, 20), (2, 0)].map { Position(epoch: $0, seq: $1) })
            #expect(lab.fleet.state.sessions.last?.gap?.after == Position(epoch: 1, seq: 30))
        }
    }

    @Test("nothing is sent to an address that a document may not name")
    func forbidden() async throws {
        try await Self.run { lab in
            lab.relay.publishLabels(1...20)
            lab.directory.say(.found("http://\(lab.host)"), of: Self.did)
            lab.directory.forbidAddresses()
            try await lab.withReplica { await lab.fleet.until { $0.reports[Self.did]?.state == .backingOff } }
            #expect(lab.fleet.state.reports[Self.did]?.reason.contains("public network") == true)
            #expect(lab.relay.cursors.isEmpty && lab.fleet.state.sessions.isEmpty)
        }
    }

    @Test("an address in a document that is none ends the connection, and neither the labeler nor another one")
    func badAddress() async throws {
        try await Self.run {
            $0.labelers.append("did:plc:mmmmmmmmmmmmmmmmmmmmmmmm")
        } _: { lab in
            lab.relay.publishLabels(1...5)
            lab.directory.say(.found("http://\(lab.host)"), of: Self.did)
            lab.directory.say(.found("ftp://nowhere"), of: "did:plc:mmmmmmmmmmmmmmmmmmmmmmmm")
            try await lab.withReplica {
                await lab.fleet.until {
                    $0.watermark(Self.did) == Position(epoch: 0, seq: 5) && $0.reports["did:plc:mmmmmmmmmmmmmmmmmmmmmmmm"]?.state == .backingOff
                }
            }
        }
    }
}
