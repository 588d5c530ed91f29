import Events
import Testing

@testable import Flow

@Suite("A high-water gate, in random histories")
struct GateModelTests {
    /// Looks back over all measurements: the last one at a mark counts, unless every level was low since.
    private static func paused(_ measured: [HighWaterGate.Levels], _ limits: HighWaterGate.Limits) -> HighWaterGate.Reason? {
        for levels in measured.reversed() {
            let worked = levels.entries.indices.filter { !levels.halted.contains($0) }
            let entries = worked.map { levels.entries[$0] }.reduce(0, +)
            let bytes = worked.map { $0 < levels.bytes.count ? levels.bytes[$0] : 0 }.reduce(0, +)
            let memory = levels.maxMemory == 0 ? 0 : Double(levels.usedMemory) / Double(levels.maxMemory)
            if entries >= limits.highEntries { return .entries }
            if bytes >= limits.highBytes { return .bytes }
            if memory >= limits.memoryFraction { return .memory }
            if entries <= limits.lowEntries, bytes * 4 <= limits.highBytes * 3, memory <= limits.memoryResumeFraction { return nil }
        }
        return nil
    }

    /// Halted now, and at its quota at some time since it was halted.
    private static func shed(_ measured: [HighWaterGate.Levels], _ limits: HighWaterGate.Limits) -> Set<Shard> {
        guard let last = measured.last else { return [] }
        return last.halted.filter { shard in
            for levels in measured.reversed() {
                guard levels.halted.contains(shard) else { return false }
                if shard < levels.entries.count, levels.entries[shard] >= limits.haltedShardEntries { return true }
            }
            return false
        }
    }

    @Test("pauses at a mark until every level was low, and sheds a halted shard from its quota on until it is well")
    func histories() {
        let limits = HighWaterGate.Limits(highEntries: 100, highBytes: 400, memoryFraction: 0.85, haltedShardEntries: 30)
        Histories.check("high-water gate", 4_000) { random in
            let shards = random.number(1...4)
            let events = (0..<40).map { _ -> HighWaterGate.Levels in
                // Near the marks: elsewhere nothing happens.
                let entries = random.pick([0, 20, 29, 30, 31, 60, 74, 75, 76, 99, 100, 101, 150])
                let bytes = random.pick([0, 100, 299, 300, 301, 399, 400, 500])
                var halted = Set<Shard>()
                for shard in 0...shards where random.once(in: 5) { halted.insert(shard) }
                let split = { (total: Int) in (0..<shards).map { total / shards + ($0 < total % shards ? 1 : 0) } }
                var levels = HighWaterGate.Levels(entries: split(entries), bytes: split(bytes), halted: halted)
                if random.once(in: 3) { levels.entries[0] += random.pick([0, 30, 200]) }
                levels.maxMemory = random.pick([0, 100, 100])
                levels.usedMemory = random.pick([0, 50, 79, 80, 81, 84, 85, 86, 100])
                if random.once(in: 6) { levels.bytes = [] }
                return levels
            }
            return ("\(shards) shards", events)
        } run: { _, events in
            var gate = HighWaterGate(limits: limits)
            var measured: [HighWaterGate.Levels] = []
            for levels in events {
                measured.append(levels)
                let decision = gate.measured(levels)
                let expected = HighWaterGate.Decision(pausedBy: Self.paused(measured, limits), shed: Self.shed(measured, limits))
                guard decision == expected else { return "\(decision) instead of \(expected)" }
            }
            return nil
        }
    }
}
