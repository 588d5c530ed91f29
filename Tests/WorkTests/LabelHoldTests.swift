import ATProto
import Events
import Flow
import Ledger
import PostgresClient
import TestSupport
import Testing

@testable import Work

@Suite("Labels that wait for a key", .timeLimit(.minutes(10)))
struct LabelHoldTests {
    private let subject = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"

    @Test("are held and stop nobody, and are delivered in their order once the key is there")
    func delivered() async throws {
        try await WorkBench.with { bench in
            let cold = try await TestLabeler(0, isKnown: false, of: bench)
            let known = try await TestLabeler(1, host: "other.example", of: bench)
            cold.take([try cold.label("spam", on: subject), try known.label("same host", on: subject)], seq: 1)
            cold.take([try cold.label("spam", on: subject, neg: true)], seq: 2)
            known.take([try known.label("rude", on: subject)], seq: 1)
            try await cold.append()
            try await known.append()
            let lease = try await bench.acquire()
            var owner = try await bench.labelOwner(lease)
            try await bench.takeLabels(&owner)
            #expect(try await bench.labels(on: subject).map(\.val) == ["rude", "same host"])
            #expect(try await bench.number("SELECT count(*) FROM held_labels") == 2)
            #expect(try await bench.ledger.status().shards[0].labels.held == 2)
            let resume = try await bench.ledger.resumePosition(UpstreamName(kind: .labeler, host: cold.host))
            #expect(resume == .at(Position(epoch: 0, seq: 2)))

            // Not yet due, then due and still pending, then there.
            try await owner.sweep()
            bench.clock.advance(.seconds(2))
            try await owner.sweep()
            #expect(try await bench.number("SELECT max(attempts) FROM held_labels") == 1)
            bench.labelKeys.say(.known(cold.key.verificationKey), of: cold.did)
            cold.take([try cold.label("spam", on: subject)], seq: 3)
            try await cold.append()
            // Behind what is held, also with the key at hand, and with another owner.
            owner = try await bench.labelOwner(lease)
            try await bench.takeLabels(&owner)
            #expect(try await bench.number("SELECT count(*) FROM held_labels") == 3)
            bench.clock.advance(.seconds(3))
            try await owner.sweep()
            #expect(try await bench.number("SELECT count(*) FROM held_labels") == 0)
            let events = try await bench.labelEvents().filter { $0.host == cold.host }.dropFirst()
            #expect(events.map { String(decoding: $0.body, as: UTF8.self).contains(#""neg":true"#) } == [false, true, false])
            #expect(events.map(\.seq) == [3, 4, 5])
        }
    }

    @Test("are refused once their time is up")
    func givenUp() async throws {
        try await WorkBench.with(change: { $0.identityWait = .seconds(60) }) { bench in
            let cold = try await TestLabeler(0, isKnown: false, of: bench)
            cold.take([try cold.label("spam", on: subject)], seq: 1)
            try await cold.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)
            bench.clock.advance(.seconds(61))
            try await owner.sweep()
            #expect(try await bench.refused() == ["identityUnavailable": 1])
            #expect(try await bench.number("SELECT count(*) FROM held_labels") == 0)
            #expect(owner.heldCount == 0)
        }
    }

    @Test("are looked at in parts where they are many, and a source's later labels wait behind all of them")
    func many() async throws {
        try await WorkBench.with { bench in
            let cold = try await TestLabeler(0, isKnown: false, of: bench)
            for seq in 1...3 as ClosedRange<Int64> {
                cold.take(try (0..<400).map { try cold.label("v\(seq)-\($0)", on: subject) }, seq: seq)
            }
            try await cold.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)
            #expect(owner.heldCount == 1_200)
            bench.labelKeys.say(.known(cold.key.verificationKey), of: cold.did)
            bench.clock.advance(.seconds(2))
            var sweeps = 0
            while owner.heldCount > 0, sweeps < 10 {
                try await owner.sweep()
                sweeps += 1
            }
            #expect(sweeps == 3)
            let events = try await bench.ledger.events(run: .labels(0), after: 0, limit: 2_000, maxBytes: 1 << 24)
            let values = events.compactMap { event in
                String(decoding: event.body, as: UTF8.self).split(separator: "\"val\":\"").last?.prefix { $0 != "\"" }
            }
            #expect(values == (1...3).flatMap { seq in (0..<400).map { "v\(seq)-\($0)" } })
        }
    }

    @Test("of which one upstream brings more than the bound are refused from the oldest on, and no other upstream's are")
    func bound() async throws {
        try await WorkBench.with(change: { $0.labelHoldLimits = HoldTable.Limits(perDID: 400, total: 5_000) }) { bench in
            let flood = try await TestLabeler(0, host: "flood.example", isKnown: false, of: bench)
            let calm = try await TestLabeler(0, host: "calm.example", isKnown: false, of: bench)
            calm.take([try calm.label("calm", on: subject)], seq: 1)
            try await calm.append()
            var owner = try await bench.labelOwner(try await bench.acquire())
            try await bench.takeLabels(&owner)
            flood.take(try (0..<1_300).map { try flood.label("v\($0)", on: subject) }, seq: 1)
            try await flood.append()
            try await bench.takeLabels(&owner)
            #expect(owner.heldCount == 1_301)
            for _ in 0..<5 { try await owner.sweep() }
            // 500 at a time, until there are no more than may be.
            #expect(owner.heldCount == 301)
            #expect(try await bench.refused() == ["identityUnavailable": 1_000])
            #expect(try await bench.number("SELECT min(place) FROM held_labels WHERE host = 'flood.example'") == 1_000)
            #expect(try await bench.number("SELECT count(*) FROM held_labels WHERE host = 'calm.example'") == 1)
        }
    }
}
