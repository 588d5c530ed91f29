import ATProto
import Broker
import Events
import Flow
import Ledger
import NIOCore
import TestSupport

@testable import Work

/// A labeler with its key, and the session of an ingester that reads it into a bench's streams.
final class TestLabeler {
    let did: String
    let key: SigningKey
    /// The upstream's name.
    let host: String
    private let bench: WorkBench
    private let streams: WorkStreams
    private let lease: UpstreamLease
    private var writer: SessionWriter
    private var made = 0

    /// - Parameter host: nil: it is configured by its DID.
    init(
        _ number: UInt8, host: String? = "labeler.example", from: Position = Position(epoch: 0, seq: 0), isKnown: Bool = true, of bench: WorkBench
    ) async throws {
        did = "did:plc:" + String(repeating: "l", count: 23) + String(UnicodeScalar(UInt8(ascii: "a") + number))
        key = try SigningKey(.k256, secret: [UInt8](repeating: number + 1, count: 32))
        self.host = host ?? did
        self.bench = bench
        streams = bench.streams.on(.labels)
        let upstream = UpstreamName(kind: .labeler, host: self.host)
        guard let lease = try await bench.ledger.acquireUpstream(upstream, worker: bench.worker, ttl: .seconds(3_600)) else {
            throw TestSupportError("\(upstream) was not free")
        }
        self.lease = lease
        let session = try await bench.ledger.openSession(lease, from: from, gap: nil)
        writer = SessionWriter(host: self.host, session: session, from: from, shards: streams.shards.count)
        if isKnown { bench.labelKeys.say(.known(key.verificationKey), of: did) }
    }

    /// A new session, as after a restart of its numbers.
    func reopen(from: Position, gap: UpstreamEntry.Gap? = nil) async throws {
        let session = try await bench.ledger.openSession(lease, from: from, gap: gap)
        writer = SessionWriter(host: host, session: session, from: from, gap: gap, shards: streams.shards.count)
    }

    /// Signed by its own key unless told otherwise; each a second later than the one before.
    func label(
        _ val: String, on uri: String, neg: Bool = false, cid: String? = nil, exp: String? = nil, cts: String? = nil,
        signedBy signer: SigningKey? = nil,
        isSigned: Bool = true
    ) throws -> Label {
        made += 1
        let time = cts ?? WallTime(microseconds: 1_767_225_600_000_000 + Int64(made) * 1_000_000).rfc3339
        let label = Label(src: did, uri: uri, cid: cid, val: val, neg: neg, cts: time, exp: exp)
        return isSigned ? try label.signed(by: signer ?? key) : label
    }

    func take(_ labels: [Label], seq: Int64, epoch: Int32 = 0) {
        take(LabelsMessage(seq: seq, labels: labels).frame(), at: Position(epoch: epoch, seq: seq))
    }

    /// Hands a frame to the shards, as the router of an ingester does.
    func take(_ frame: [UInt8], at position: Position) {
        var entry = UpstreamEntry(host: host, session: 0, n: 0, position: position, kind: .malformed, frame: frame)
        var shards: Set<Shard> = [streams.shards.shard(of: host)]
        if case .labels(_, let subjects) = FrameRoute.parse(frame) {
            entry.kind = .labels
            shards = Set(subjects.map { streams.shards.shard(ofSubject: $0, from: host) })
        }
        for shard in shards.sorted() { writer.take(entry, shard: shard) }
        writer.passed(position)
    }

    /// Appends what was taken, with a barrier; entries for which `isLost` is true are numbered and never written.
    func append(losing isLost: (UpstreamEntry) -> Bool = { _ in false }) async throws {
        writer.barrier()
        while let append = writer.next() {
            let items = append.entries.filter { !isLost($0.entry) }.map { item in
                var header = item.entry
                header.frame = []
                return AppendItem(shard: item.shard, entry: header, frame: item.entry.frame.isEmpty ? nil : ByteBuffer(bytes: item.entry.frame))
            }
            for result in await streams.append(items) {
                guard case .written = result else { throw TestSupportError("not appended: \(result)") }
            }
            writer.settle(append, .accepted)
        }
    }
}

extension WorkBench {
    /// The owner of a shard's labels.
    func labelOwner(_ lease: ShardLease) async throws -> LabelRun {
        let trust = LeaseTrust(timeToLive: .seconds(3_600))
        trust.renewed(callStartedAt: clock.clock.monotonic())
        return try await LabelPipeline(lease: lease, context: context).owner(trusted: trust)
    }

    /// Takes all that stands in the shard's stream of labels behind the owner.
    func takeLabels(_ owner: inout LabelRun, _ shard: Shard = 0) async throws {
        let position = owner.position
        let entries = try await streams.on(.labels).withReader(of: shard) { reader in
            try await reader.read(after: position, count: 1_000, block: .milliseconds(1))
        }
        try await owner.take(entries)
    }

    func labelEvents(_ shard: Shard = 0) async throws -> [LogEvent] {
        try await ledger.events(run: .labels(shard), after: 0, limit: 1_000, maxBytes: 1 << 20)
    }

    /// What stands of a subject now.
    func labels(on uri: String, by sources: [String]? = nil) async throws -> [StoredLabel] {
        let subject = LabelSubject(
            shard: streams.shards.shard(of: Syntax.did(ofSubject: uri) ?? ""), subject: LabelIdentity.subject(uri).bytes)
        return try await ledger.currentLabels(of: [subject], sources: sources, limit: 100)
    }

    func refused() async throws -> [String: Int64] { try await ledger.status().refused }
}
