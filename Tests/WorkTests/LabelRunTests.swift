import ATProto
import Broker
import Events
import Ledger
import PostgresClient
import RedisClient
import TestSupport
import Testing

@testable import Work

@Suite("The owner of a shard's labels, between Redis and Postgres", .timeLimit(.minutes(10)))
struct LabelRunTests {
    private let subject = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
    private var post: String { "at://\(subject)/app.bsky.feed.post/3kpost" }

    private func text(_ event: LogEvent) -> String { String(decoding: event.body, as: UTF8.self) }

    @Test("logs labels in their order, keeps what stands, and a withdrawal withdraws")
    func withdrawal() async throws {
        try await WorkBench.with { bench in
            let labeler = try await TestLabeler(0, of: bench)
            let spam = try labeler.label("spam", on: post, cid: "bafyreigh2akiscaildc", exp: "2999-01-01T00:00:00Z")
            labeler.take([spam, try labeler.label("rude", on: subject)], seq: 1)
            labeler.take([try labeler.label("spam", on: post)], seq: 2)
            labeler.take([try labeler.label("rude", on: subject, neg: true)], seq: 3)
            try await labeler.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)

            let events = try await bench.labelEvents()
            #expect(events.map(\.seq) == [1, 2, 3, 4])
            #expect(events.allSatisfy { $0.kind == .label && $0.did == subject && $0.host == "labeler.example" && $0.mark.isEmpty && $0.live })
            #expect(events[0].time == spam.cts)
            #expect(
                text(events[0])
                    == #"{"ver":1,"src":"\#(labeler.did)","uri":"\#(post)","cid":"bafyreigh2akiscaildc","val":"spam","neg":false,"#
                    + #""cts":"\#(spam.cts)","exp":"2999-01-01T00:00:00Z"}"#)
            #expect(text(events[3]).contains(#""val":"rude","neg":true"#))
            #expect(try await bench.labels(on: post).map(\.cid) == ["", "bafyreigh2akiscaildc"])
            #expect(try await bench.labels(on: post).allSatisfy { $0.signature == .valid && $0.src == labeler.did })
            #expect(try await bench.labels(on: subject).isEmpty)
            #expect(try await bench.labels(on: post, by: ["did:plc:other"]).isEmpty)
            let resume = try await bench.ledger.resumePosition(UpstreamName(kind: .labeler, host: "labeler.example"))
            #expect(resume == .at(Position(epoch: 0, seq: 3)))
        }
    }

    @Test("a repeat is dropped and counted, also of a message that says two things of one label")
    func repeats() async throws {
        try await WorkBench.with { bench in
            let labeler = try await TestLabeler(0, of: bench)
            let (label, withdrawal) = (try labeler.label("spam", on: subject), try labeler.label("spam", on: subject, neg: true))
            labeler.take([label, withdrawal, label], seq: 5)
            labeler.take([label], seq: 6)
            try await labeler.append()
            let lease = try await bench.acquire()
            var owner = try await bench.labelOwner(lease)
            try await bench.takeLabels(&owner)
            let texts = try await bench.labelEvents().map { text($0).contains(#""neg":true"#) }
            // The third place of the message is later than the second; the next message says nothing new.
            #expect(texts == [false, true, false])
            #expect(bench.context.totals.take().duplicates == 1)

            // All of it comes again, as after a rewind.
            try await labeler.reopen(from: Position(epoch: 0, seq: 4))
            labeler.take([label, withdrawal, label], seq: 5)
            labeler.take([label], seq: 6)
            labeler.take([withdrawal], seq: 7)
            try await labeler.append()
            try await bench.takeLabels(&owner)
            #expect(try await bench.labelEvents().count == 4)
            #expect(bench.context.totals.take().duplicates == 4)
            #expect(try await bench.labels(on: subject).isEmpty)
        }
    }

    @Test("a labeler that starts its numbers anew is later than before, and what it repeats is no news")
    func restartedNumbers() async throws {
        try await WorkBench.with { bench in
            let labeler = try await TestLabeler(0, from: Position(epoch: 0, seq: 99), of: bench)
            let (spam, rude) = (try labeler.label("spam", on: subject), try labeler.label("rude", on: subject))
            labeler.take([spam, rude], seq: 100)
            try await labeler.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)
            let start = Position(epoch: 1, seq: 0)
            try await labeler.reopen(from: start, gap: .init(after: Position(epoch: 0, seq: 100), through: start))
            labeler.take([spam], seq: 1, epoch: 1)
            labeler.take([try labeler.label("rude", on: subject, neg: true)], seq: 2, epoch: 1)
            try await labeler.append()
            try await bench.takeLabels(&owner)
            #expect(try await bench.labelEvents().count == 3)
            #expect(try await bench.labels(on: subject).map(\.val) == ["spam"])
            #expect(try await bench.ledger.status().upstreams.map(\.declaredGaps) == [1])
        }
    }

    @Test("a label that has ended is delivered as it is, and does not stand")
    func expiry() async throws {
        try await WorkBench.with { bench in
            let labeler = try await TestLabeler(0, of: bench)
            labeler.take([try labeler.label("old", on: subject, exp: "2020-01-01T00:00:00Z")], seq: 1)
            labeler.take([try labeler.label("new", on: subject, exp: "2999-01-01T00:00:00Z")], seq: 2)
            try await labeler.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)
            #expect(try await bench.labelEvents().count == 2)
            #expect(try await bench.labels(on: subject).map(\.val) == ["new"])
        }
    }

    @Test("a label without a signature is delivered and marked", arguments: [VerificationMode.strict, .lenient])
    func unsigned(mode: VerificationMode) async throws {
        try await WorkBench.with(change: { $0.mode = mode }) { bench in
            // Nobody needs its key.
            let labeler = try await TestLabeler(0, isKnown: false, of: bench)
            labeler.take([try labeler.label("spam", on: subject, isSigned: false)], seq: 1)
            try await labeler.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)
            #expect(try await bench.labelEvents().map(\.mark) == ["unsigned"])
            #expect(try await bench.labels(on: subject).map(\.signature) == [.unsigned])
        }
    }

    @Test("a bad signature is refused and counted, or delivered with a mark", arguments: [VerificationMode.strict, .lenient])
    func badSignature(mode: VerificationMode) async throws {
        try await WorkBench.with(change: { $0.mode = mode }) { bench in
            let labeler = try await TestLabeler(0, of: bench)
            let keyless = try await TestLabeler(1, host: "keyless.example", of: bench)
            bench.labelKeys.say(.absent(reason: "the document has no #atproto_label key"), of: keyless.did)
            let other = try SigningKey(.p256, secret: [UInt8](repeating: 9, count: 32))
            labeler.take([try labeler.label("forged", on: subject, signedBy: other), try labeler.label("fine", on: subject)], seq: 1)
            keyless.take([try keyless.label("keyless", on: subject)], seq: 1)
            try await labeler.append()
            try await keyless.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)
            let events = try await bench.labelEvents()
            if mode == .strict {
                #expect(events.map(\.mark) == [""])
                #expect(try await bench.refused() == ["badSignature": 1, "noIdentity": 1])
                #expect(try await bench.labels(on: subject).map(\.val) == ["fine"])
            } else {
                #expect(events.map(\.mark) == ["signature", "", "signature"])
                #expect(try await bench.refused().isEmpty)
                #expect(try await bench.labels(on: subject).map(\.signature) == [.valid, .invalid, .invalid])
            }
            #expect(bench.labelKeys.refreshes == 1)
        }
    }

    @Test("a key that changed is fetched again before a signature is called bad")
    func changedKey() async throws {
        try await WorkBench.with { bench in
            let labeler = try await TestLabeler(0, of: bench)
            let new = try SigningKey(.p256, secret: [UInt8](repeating: 9, count: 32))
            bench.labelKeys.sayRefreshed(.known(new.verificationKey), of: labeler.did)
            labeler.take([try labeler.label("spam", on: subject, signedBy: new)], seq: 1)
            try await labeler.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)
            #expect(try await bench.labels(on: subject).map(\.signature) == [.valid])
        }
    }

    @Test("a labeler that is configured by its DID speaks for that DID alone, one that is configured by its host for all")
    func foreignSource() async throws {
        try await WorkBench.with { bench in
            let byDID = try await TestLabeler(0, host: nil, of: bench)
            let byHost = try await TestLabeler(1, of: bench)
            byDID.take([try byDID.label("own", on: subject), try byHost.label("foreign", on: subject)], seq: 1)
            byHost.take([try byDID.label("passed on", on: subject)], seq: 1)
            try await byDID.append()
            try await byHost.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)
            #expect(try await bench.labels(on: subject).map(\.val).sorted() == ["own", "passed on"])
            #expect(try await bench.refused() == ["foreignSource": 1])
        }
    }

    @Test("what is no label, no time or no frame is refused and kept, and spoils nothing beside it")
    func malformed() async throws {
        try await WorkBench.with { bench in
            let labeler = try await TestLabeler(0, of: bench)
            let good = try labeler.label("good", on: subject)
            let bad: CBORValue = ["src": .text(labeler.did), "uri": .text(subject), "cts": "2026-01-01T00:00:00Z"]
            let body: CBORValue = ["seq": 1, "labels": [bad, try CBORValue.decode(good.encoded)]]
            labeler.take((["op": 1, "t": "#labels"] as CBORValue).encode() + body.encode(), at: Position(epoch: 0, seq: 1))
            labeler.take([try labeler.label("x", on: subject, cts: "yesterday"), try labeler.label("y", on: subject, exp: "soon")], seq: 2)
            labeler.take([1, 2, 3], at: Position(epoch: 0, seq: 2))
            try await labeler.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)
            #expect(try await bench.labelEvents().count == 1)
            #expect(try await bench.refused() == ["malformedMessage": 2, "badTime": 2])
            #expect(try await bench.number("SELECT count(*) FROM refused WHERE did = '\(subject)' AND kind = 'labels'") == 3)
        }
    }

    @Test("each shard takes its own labels of a message, and all of them once")
    func shards() async throws {
        try await WorkBench.with(shards: 4) { bench in
            let labeler = try await TestLabeler(0, of: bench)
            let subjects = (0..<12).map { "did:web:account\($0).test" }
            labeler.take(try subjects.map { try labeler.label("spam", on: $0) }, seq: 1)
            try await labeler.append()
            var seen: [String] = []
            for shard in 0..<4 {
                var owner = try await bench.labelOwner(try await bench.acquire(shard))
                try await bench.takeLabels(&owner, shard)
                let events = try await bench.labelEvents(shard)
                #expect(events.allSatisfy { bench.streams.shards.shard(of: $0.did) == shard })
                seen += events.map(\.did)
            }
            #expect(seen.sorted() == subjects.sorted())
        }
    }

    @Test("a hole is found at the next entry, nothing behind it is taken, and a rewind brings all of it")
    func hole() async throws {
        try await WorkBench.with { bench in
            let labeler = try await TestLabeler(0, of: bench)
            let labels = try (1...4).map { try labeler.label("v\($0)", on: subject) }
            for (index, label) in labels.enumerated() { labeler.take([label], seq: Int64(index + 1)) }
            try await labeler.append { $0.position.seq == 2 && $0.kind == .labels }
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)
            #expect(try await bench.labels(on: subject).map(\.val) == ["v1"])
            #expect(try await bench.number("SELECT count(*) FROM rewinds") == 1)
            let resume = try await bench.ledger.resumePosition(UpstreamName(kind: .labeler, host: labeler.host))
            guard case .at(let watermark) = resume, watermark.seq < 2 else {
                Issue.record("the watermark passed the hole: \(resume)")
                return
            }
            try await labeler.reopen(from: watermark)
            for (index, label) in labels.enumerated() { labeler.take([label], seq: Int64(index + 1)) }
            try await labeler.append()
            try await bench.takeLabels(&owner)
            #expect(try await bench.labels(on: subject).map(\.val) == ["v1", "v2", "v3", "v4"])
            #expect(try await bench.labelEvents().count == 4)
        }
    }

    @Test("a host may be a relay and a labeler: neither's sessions and positions touch the other's")
    func relayAndLabeler() async throws {
        try await WorkBench.with { bench in
            var account = try TestAccount(0, start: bench.clock.start)
            try await bench.know(account)
            try await bench.open("both.example", from: 0, epoch: 1)
            bench.take(try account.commit("app.bsky.feed.post/a", "one").frame(), seq: 7, host: "both.example")
            try await bench.append()
            let labeler = try await TestLabeler(0, host: "both.example", of: bench)
            labeler.take([try labeler.label("spam", on: account.did)], seq: 3)
            try await labeler.append()
            let lease = try await bench.acquire()
            var firehose = try await bench.owner(lease)
            try await firehose.take(try await bench.read(0, after: firehose.position))
            var labels = try await bench.labelOwner(lease)
            try await bench.takeLabels(&labels)
            #expect(try await bench.events().count == 1)
            #expect(try await bench.labelEvents().count == 1)
            let (relay, ours) = (UpstreamName(kind: .firehose, host: "both.example"), UpstreamName(kind: .labeler, host: "both.example"))
            #expect(try await bench.ledger.resumePosition(relay) == .at(Position(epoch: 1, seq: 7)))
            #expect(try await bench.ledger.resumePosition(ours) == .at(Position(epoch: 0, seq: 3)))
            #expect(try await bench.ledger.shardState(lease).watermarks.keys.map(\.kind) == [.firehose])
            #expect(try await bench.ledger.shardState(lease, log: .labels).watermarks.keys.map(\.kind) == [.labeler])
            // Another owner goes on where each was committed.
            let next = try await bench.labelOwner(lease)
            #expect(next.position == labels.position && next.position > .zero)
        }
    }

    @Test("another process that owns the shard by now gets all of it, and this one nothing")
    func zombie() async throws {
        try await WorkBench.with { bench in
            let labeler = try await TestLabeler(0, of: bench)
            labeler.take([try labeler.label("spam", on: subject)], seq: 1)
            try await labeler.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.look.execute("UPDATE shards SET token = token + 1")
            await #expect(throws: LedgerError.self) { try await bench.takeLabels(&owner) }
            #expect(try await bench.labelEvents().isEmpty)
            #expect(try await bench.number("SELECT count(*) FROM labels") == 0)
        }
    }
}
