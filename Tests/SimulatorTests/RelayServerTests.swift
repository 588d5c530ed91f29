import ATProto
import Events
import Foundation
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct RelayServerTests {
    @Test("two relays deliver the same events in the same order per DID, under numbers of their own, and every commit verifies")
    func twoRelays() async throws {
        try await SimulatorHarness.run(SimulatorHarness.configuration()) { simulator in
            try await simulator.service.set(EventRate(eventsPerSecond: .infinity, eventsMax: 300))
            async let one = RelayTranscript.follow(simulator.addresses.relays[0], until: 300)
            async let two = RelayTranscript.follow(simulator.addresses.relays[1], until: 300)
            let (a, b) = try await (one, two)
            #expect(a.orders == b.orders)
            #expect(a.lastSeq != b.lastSeq)
            var keys: [String: VerificationKey] = [:]
            for frame in a.frames {
                guard case .commit(let message) = try StreamMessage(frame: frame) else { continue }
                if keys[message.repo] == nil { keys[message.repo] = try await simulator.key(of: message.repo) }
                let key = try #require(keys[message.repo])
                guard case .verified = CommitVerifier.verify(frame, key: key, now: WallTime(microseconds: WallClock.microseconds)) else {
                    Issue.record("refused: \(CommitVerifier.verify(frame, key: key, now: WallTime(microseconds: WallClock.microseconds)))")
                    continue
                }
            }
            // The record names the same events in the same order.
            var recorded: [String: [String]] = [:]
            for line in simulator.service.record.lines {
                let fields = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                guard let did = fields["did"] as? String, let time = fields["time"] as? String else { continue }
                let rev = fields["rev"] as? String
                recorded[did, default: []].append(fields["type"] as? String == "sync" ? "sync \(rev ?? "") \(time)" : rev ?? time)
            }
            #expect(recorded == a.orders)
        }
    }

    @Test("a replay from a cursor gives the same bytes again, with or without the cursor's own message", arguments: [0, 1])
    func replay(relay: Int) async throws {
        try await SimulatorHarness.run(SimulatorHarness.configuration()) { simulator in
            try await simulator.service.set(EventRate(eventsPerSecond: .infinity, eventsMax: 120))
            let first = try await RelayTranscript.follow(simulator.addresses.relays[relay], until: 120)
            let middle = try #require(Self.seq(first.frames[40]))
            // The second relay's cursor is inclusive.
            let expected = Array(first.frames[(relay == 1 ? 40 : 41)...])
            var again: [[UInt8]] = []
            let end = try await RelayReader.read(simulator.addresses.relays[relay], cursor: middle) { frame in
                again.append(frame)
                return again.count == expected.count
            }
            #expect(end == .enough)
            #expect(again == expected)
        }
    }

    @Test("a cursor of the future gets FutureCursor and the end, one that is too old OutdatedCursor and the oldest")
    func cursors() async throws {
        var configuration = SimulatorHarness.configuration()
        configuration.relays[0].windowEntriesMax = 20
        try await SimulatorHarness.run(configuration) { simulator in
            try await simulator.service.set(EventRate(eventsPerSecond: .infinity, eventsMax: 200))
            // The other relay keeps all: when it has been read, both have all but what they hold for a moment.
            _ = try await RelayTranscript.follow(simulator.addresses.relays[1], until: 200)
            var future = RelayTranscript()
            let end = try await RelayReader.read(simulator.addresses.relays[0], cursor: 1 << 50) { frame in
                future.take(frame)
                return false
            }
            #expect(end == .closed)
            #expect(future.errors == ["FutureCursor"])
            var old = RelayTranscript()
            _ = try await RelayReader.read(simulator.addresses.relays[0], cursor: 1) { frame in
                old.take(frame)
                return old.distinctEvents == 15
            }
            #expect(old.errors == ["OutdatedCursor"])
        }
    }

    @Test("a reader that stops reading is told ConsumerTooSlow and closed; one that reads on gets everything")
    func slowReader() async throws {
        var configuration = SimulatorHarness.configuration()
        for relay in 0...1 { configuration.relays[relay].readerLagBytesMax = 100_000 }
        configuration.content.recordBytesMean = 20_000
        try await SimulatorHarness.run(configuration) { simulator in
            let relay = simulator.addresses.relays[0]
            try await simulator.service.set(EventRate(eventsPerSecond: .infinity, eventsMax: 1))
            let (isDone, signal) = AsyncStream<Void>.makeStream()
            async let sound = {
                defer { signal.finish() }
                return try await RelayTranscript.follow(simulator.addresses.relays[1], until: 1_500)
            }()
            var frames = 0
            var last = RelayTranscript()
            let end = try await RelayReader.read(relay, cursor: 0) { frame in
                frames += 1
                // With the only message there is it has caught up: who replays is never too slow.
                if frames == 1 { try await simulator.service.set(EventRate(eventsPerSecond: 400, eventsMax: 1_499)) }
                // Takes nothing until the other reader has everything: its socket fills meanwhile.
                if frames == 5 { for await _ in isDone {} }
                last.take(frame)
                return last.errors == ["ConsumerTooSlow"]
            }
            // On a busy machine it may be too slow for a moment as well: then it was told so, and resumed.
            let connections = try await sound.connections
            #expect(try await connections == 1 + simulator.service.status().relays[1].readersTooSlow)
            #expect(end != .refused)
            #expect(frames > 5)
            #expect(try await simulator.service.status().relays[0].readersTooSlow == 1)
        }
    }

    static func seq(_ frame: [UInt8]) -> Int64? {
        switch try? StreamMessage(frame: frame) {
        case .commit(let message): message.seq
        case .sync(let message): message.seq
        case .identity(let message): message.seq
        case .account(let message): message.seq
        default: nil
        }
    }
}
