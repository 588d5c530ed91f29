import ATProto
import Broker
import Events
import Ledger
import PostgresClient
import TestSupport
import Testing

@testable import Serve

@Suite("Labels over HTTP, from a real Redis and a real Postgres", .timeLimit(.minutes(5)))
struct LabelServersTests {
    private static let account = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
    /// Of another shard.
    private static let other = {
        let shards = ShardMap(count: 4)
        let dids = "bcdefghijklmnop".map { "did:plc:" + String(repeating: $0, count: 24) }
        return dids.first { shards.shard(of: $0) != shards.shard(of: account) } ?? ""
    }()
    private static let post = "at://\(account)/app.bsky.feed.post/3k"
    private static let labelers = ["did:plc:llllllllllllllllllllllla", "did:web:labels.example"]

    /// What a worker keeps of a label, and its event.
    private func stored(
        _ val: String, on uri: String, by labeler: Int = 0, cid: String? = nil, neg: Bool = false, seq: Int64 = 1, expiresAt: WallTime? = nil
    ) -> StoredLabel {
        let cts = WallTime(microseconds: 1_767_225_600_000_000 + seq * 1_000_000)
        let label = Label(
            src: Self.labelers[labeler], uri: uri, cid: cid, val: val, neg: neg, cts: cts.rfc3339, exp: expiresAt?.rfc3339)
        let identity = LabelIdentity(label)
        return StoredLabel(
            key: StoredLabel.Key(subject: identity.subject.bytes, label: identity.label.bytes), src: label.src, uri: uri, cid: cid ?? "", val: val,
            neg: neg, cts: label.cts, createdAt: cts, exp: label.exp ?? "", expiresAt: expiresAt, ver: 1, signature: .valid, host: "labeler.example",
            position: Position(epoch: 0, seq: seq), place: 0)
    }

    /// Commits labels as the owner of their subjects' shard does.
    private func commit(_ labels: [StoredLabel], _ stores: RealStores, _ leases: inout [Shard: ShardLease]) async throws {
        let shards = ShardMap(count: 4)
        for (shard, labels) in Dictionary(grouping: labels, by: { shards.shard(of: Syntax.did(ofSubject: $0.uri) ?? "") }) {
            if leases[shard] == nil {
                leases[shard] = try await stores.ledger.acquireShards([shard], worker: WorkerID(stores.ledger.schema), ttl: .seconds(3_600)).first
            }
            var batch = ShardBatch(lease: try #require(leases[shard]), log: .labels)
            batch.labels = labels
            batch.events = labels.map {
                LogEvent(
                    run: .labels(shard), seq: 0, kind: .label, did: Syntax.did(ofSubject: $0.uri) ?? "", host: $0.host, time: $0.cts,
                    body: Array(#"{"val":"\#($0.val)","neg":\#($0.neg)}"#.utf8))
            }
            _ = try await stores.ledger.commit(batch)
        }
    }

    /// `val` of each label that is answered, in order.
    private func values(_ port: Int, _ query: String) async throws -> [String] {
        let (status, body) = try await TestHTTP.get("http://127.0.0.1:\(port)/labels?\(query)")
        #expect(status == 200, "\(body)")
        let labels = try JSONValue(parsing: Array(body.utf8))["labels"]?.array ?? []
        return labels.compactMap { $0["val"]?.string }
    }

    private func encoded(_ text: String) -> String { text.replacing(":", with: "%3A").replacing("/", with: "%2F") }

    @Test("what stands of a record, of an account and of several, of all labelers or of some; what was withdrawn or has ended does not")
    func current() async throws {
        try await RealStores.with { stores in
            var leases: [Shard: ShardLease] = [:]
            let far = WallTime(microseconds: 32_472_144_000_000_000)
            try await commit(
                [
                    stored("spam", on: Self.post, cid: "bafyone"), stored("spam", on: Self.post, by: 1), stored("rude", on: Self.account),
                    stored("ends", on: Self.post, expiresAt: far), stored("ended", on: Self.post, expiresAt: WallTime(microseconds: 1)),
                    stored("late", on: Self.other),
                ], stores, &leases)
            try await stores.serving { port in
                let all = try await values(port, "uri=\(Self.post)")
                #expect(all == ["ends", "spam", "spam"])
                #expect(try await values(port, "uri=\(encoded(Self.post))") == ["ends", "spam", "spam"])
                #expect(try await values(port, "uri=\(Self.post)&src=\(Self.labelers[1])") == ["spam"])
                #expect(try await values(port, "uri=\(Self.account)") == ["rude"], "an account's labels are not its records'")
                #expect(try await values(port, "uri=\(Self.account)&uri=\(Self.other)") == ["rude", "late"])
                #expect(try await values(port, "uri=\(Self.post)x").isEmpty)
            }
            try await commit(
                [stored("spam", on: Self.post, cid: "bafyone", neg: true, seq: 2), stored("rude", on: Self.account, neg: true, seq: 2)], stores,
                &leases)
            try await stores.serving { port in
                // The other labeler's stands.
                let all = try await values(port, "uri=\(Self.post)")
                #expect(all == ["ends", "spam"])
                #expect(try await values(port, "uri=\(Self.post)&src=\(Self.labelers[0])") == ["ends"])
                #expect(try await values(port, "uri=\(Self.account)").isEmpty)
            }
        }
    }

    @Test("statements are streamed once and in their order, withdrawals too; a client that comes back goes on where it was")
    func streamed() async throws {
        try await RealStores.with { stores in
            var leases: [Shard: ShardLease] = [:]
            for round in 0..<20 {
                let seq = Int64(round * 2)
                try await commit(
                    [stored("v\(round)", on: Self.account, seq: seq), stored("v\(round)", on: Self.other, neg: round % 2 == 1, seq: seq + 1)], stores,
                    &leases)
            }
            try await stores.publishAll(keep: 5)
            try await stores.serving { port in
                let url = "http://127.0.0.1:\(port)/streams/labels?cursor=earliest"
                var (seen, lastID): ([String: [String]], String?) = ([:], nil)
                // A connection of seven events each; only the first names where to begin.
                for connection in 0..<6 {
                    var client = try await SSEClient(url, lastEventID: lastID)
                    for _ in 0..<(connection == 5 ? 5 : 7) {
                        let event = try JSONValue(parsing: Array(try #require(try await client.nextEvent()?.data).utf8))
                        let did = try #require(event["did"]?.string)
                        seen[did, default: []].append(try #require(event["label"]?["val"]?.string))
                    }
                    lastID = client.lastID
                }
                let all = (0..<20).map { "v\($0)" }
                #expect(seen == [Self.account: all, Self.other: all])
                var one = try await SSEClient(url + "&dids=\(Self.other)")
                for value in all { #expect(try await one.nextEvent()?.data?.contains(#""val":"\#(value)""#) == true) }
            }
        }
    }
}
