import Testing

@testable import Flow

@Suite("A high-water gate")
struct HighWaterGateTests {
    private let limits = HighWaterGate.Limits(highEntries: 100, highBytes: 1_000, memoryFraction: 0.85, haltedShardEntries: 30)

    @Test(
        "pauses at each of its marks, and says at which",
        arguments: [
            (HighWaterGate.Levels(entries: [50, 49]), nil),
            (HighWaterGate.Levels(entries: [50, 50]), .entries),
            (HighWaterGate.Levels(entries: [1], bytes: [999]), nil),
            (HighWaterGate.Levels(entries: [1], bytes: [500, 500]), .bytes),
            (HighWaterGate.Levels(entries: [1], usedMemory: 84, maxMemory: 100), nil),
            (HighWaterGate.Levels(entries: [1], usedMemory: 85, maxMemory: 100), .memory),
            (HighWaterGate.Levels(entries: [1], usedMemory: 85, maxMemory: 0), nil),
        ] as [(HighWaterGate.Levels, HighWaterGate.Reason?)])
    func marks(levels: HighWaterGate.Levels, reason: HighWaterGate.Reason?) {
        var gate = HighWaterGate(limits: limits)
        #expect(gate.measured(levels).pausedBy == reason)
    }

    @Test("opens again only at the low marks, all of them")
    func hysteresis() {
        var gate = HighWaterGate(limits: limits)
        #expect(!gate.measured(.init(entries: [100])).isOpen)
        #expect(!gate.measured(.init(entries: [76])).isOpen)
        #expect(!gate.measured(.init(entries: [75], bytes: [800])).isOpen, "bytes are not low yet")
        #expect(!gate.measured(.init(entries: [75], usedMemory: 82, maxMemory: 100)).isOpen)
        #expect(gate.measured(.init(entries: [75], bytes: [750], usedMemory: 80, maxMemory: 100)).isOpen)
        #expect(gate.measured(.init(entries: [99])).isOpen)
    }

    @Test("does not let a halted shard hold the others up, and sheds it at its own quota until it is well")
    func halted() {
        var gate = HighWaterGate(limits: limits)
        #expect(gate.measured(.init(entries: [10, 500], halted: [1])) == .init(pausedBy: nil, shed: [1]))
        #expect(gate.measured(.init(entries: [10, 29], halted: [1])).shed == [1], "shedding stays while it is halted")
        #expect(gate.measured(.init(entries: [10, 29])).shed == [])
        #expect(gate.measured(.init(entries: [10, 29], halted: [1, 7])).shed == [])
    }
}
