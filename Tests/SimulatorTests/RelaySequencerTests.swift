import Testing

@testable import Simulator

@Suite struct RelaySequencerTests {
    private static func sequencer(relay: Int = 0, share: Double, _ counters: FaultCounters = FaultCounters()) -> RelaySequencer {
        let configuration = RelayConfiguration(name: "relay", interleaveShare: share)
        return RelaySequencer(seed: 3, relay: relay, configuration: configuration, counters: counters)
    }

    private static func events(_ count: Int) async throws -> [SentMessage] {
        let network = SimulatedNetwork(
            configuration: SimulatedNetworkTests.configuration(accounts: 9), startMicroseconds: SimulatedNetworkTests.start)
        return try await network.next(count).map { SentMessage(event: $0, time: Timestamp.bytes(microseconds: $0.microseconds)) }
    }

    private static func identity(_ item: RelayItem) -> ObjectIdentifier? {
        if case .message(let message) = item.content { return ObjectIdentifier(message) }
        return nil
    }

    @Test("numbers grow with gaps, DIDs trade places, one DID keeps its order and nothing is lost", arguments: [0.0, 0.1, 0.6])
    func order(share: Double) async throws {
        let events = try await Self.events(500)
        var sequencer = Self.sequencer(share: share)
        var out: [RelaySequencer.Numbered] = []
        for (index, event) in events.enumerated() {
            out += sequencer.take(RelayItem(content: .message(event)))
            if index % 40 == 0 { out += sequencer.tick() }
        }
        while sequencer.heldCount > 0 { out += sequencer.tick() }
        let messages: [SentMessage] = out.compactMap { if case .message(let message) = $0.item.content { message } else { nil } }
        #expect(messages.count == 500)
        #expect(zip(out, out.dropFirst()).allSatisfy { $0.seq < $1.seq })
        #expect(zip(out, out.dropFirst()).contains { $1.seq - $0.seq > 1 })
        for did in Set(events.map(\.event.did)) {
            let sent = messages.filter { $0.event.did == did }.map { ObjectIdentifier($0) }
            #expect(sent == events.filter { $0.event.did == did }.map { ObjectIdentifier($0) })
        }
        let isSame = messages.map { ObjectIdentifier($0) } == events.map { ObjectIdentifier($0) }
        #expect(isSame == (share == 0))
    }

    @Test("duplicates, reordered and dropped messages happen as ordered, and are counted then")
    func faults() async throws {
        let counters = FaultCounters()
        var sequencer = Self.sequencer(share: 0, counters)
        let events = try await Self.events(400)
        var out: [RelaySequencer.Numbered] = []
        for (index, event) in events.enumerated() {
            let faults: Set<FaultKind> =
                switch index {
                case 10: [.duplicate]
                case 20: [.dropCommit]
                case 30: [.reorder]
                default: []
                }
            out += sequencer.take(RelayItem(content: .message(event), faults: faults))
        }
        #expect(counters.byName == ["duplicate": 1, "drop_commit": 1, "reorder": 1])
        #expect(out.count == 400)
        #expect(!out.contains { Self.identity($0.item) == ObjectIdentifier(events[20]) })
    }

    @Test("two relays number the same messages differently")
    func numbering() async throws {
        let events = try await Self.events(3)
        var one = Self.sequencer(relay: 0, share: 0)
        var two = Self.sequencer(relay: 1, share: 0)
        for event in events {
            #expect(one.take(RelayItem(content: .message(event))).map(\.seq) != two.take(RelayItem(content: .message(event))).map(\.seq))
        }
    }
}
