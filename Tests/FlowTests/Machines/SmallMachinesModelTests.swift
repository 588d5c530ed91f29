import Events
import Testing

@testable import Flow

@Suite("Batches, counts, trims, watermarks and retries, in random histories")
struct SmallMachinesModelTests {
    private enum BatchEvent { case wait(Int), read(entries: Int, bytes: Int), take }

    @Test("a batch closes at its bounds or when its first entry waited long enough, never before")
    func batches() {
        Histories.check("batch builder", 4_000) { random in
            let limits = BatchBuilder.Limits(
                entries: random.number(1...20), bytes: random.number(1...200), linger: .milliseconds(random.number(0...30)))
            let events = (0..<60).map { _ -> BatchEvent in
                switch random.below(6) {
                case 0, 1: .wait(random.number(0...12))
                case 2: .take
                default: .read(entries: random.number(0...4), bytes: random.number(0...40))
                }
            }
            return (limits, events)
        } run: { limits, events in
            var batch = BatchBuilder(limits: limits)
            var reads: [(at: MonotonicTime, entries: Int, bytes: Int)] = []
            var now = MonotonicTime.zero
            for event in events {
                switch event {
                case .wait(let milliseconds): now = now + .milliseconds(milliseconds)
                case .read(let entries, let bytes):
                    batch.read(entries: entries, bytes: bytes, at: now)
                    if entries > 0 { reads.append((now, entries, bytes)) }
                case .take:
                    batch.closed()
                    reads = []
                }
                let expected: BatchBuilder.Step
                if let first = reads.first {
                    let isFull = reads.map(\.entries).reduce(0, +) >= limits.entries || reads.map(\.bytes).reduce(0, +) >= limits.bytes
                    let due = first.at + limits.linger
                    expected = isFull || now >= due ? .close : .more(within: due - now)
                } else {
                    expected = .idle
                }
                guard batch.step(at: now) == expected else { return "\(batch.step(at: now)) instead of \(expected)" }
            }
            return nil
        }
    }

    @Test("a trim never passes what is committed, and keeps exactly the last committed entries")
    func trims() {
        Histories.check("trim tail", 4_000) { random in
            let edges: [UInt64] = [0, 1, 2, 5, .max - 1, .max]
            let events = (0..<30).map { _ in
                (0..<random.below(6)).map { _ in EntryID(milliseconds: UInt64(random.below(12)), sequence: random.pick(edges)) }
            }
            return (random.number(0...5), events)
        } run: { kept, events in
            var tail = TrimTail(kept: kept)
            var committed: [EntryID] = []
            for ids in events {
                tail.committed(ids)
                for id in ids where committed.allSatisfy({ $0 < id }) { committed.append(id) }
                guard committed.count > kept else {
                    if tail.minID != nil { return "trims to \(String(describing: tail.minID)) with \(committed.count) committed" }
                    continue
                }
                guard let least = tail.minID else { return "does not trim" }
                guard committed.filter({ $0 >= least }).count == kept else { return "trims to \(least), committed \(committed)" }
                // An entry behind the last committed one, whatever its id, is not touched.
                let next = committed.last.map { EntryID(milliseconds: $0.milliseconds + ($0.sequence == .max ? 1 : 0), sequence: $0.sequence &+ 1) }
                guard let next, least <= next else { return "trims to \(least), past \(String(describing: committed.last))" }
            }
            return nil
        }
    }

    @Test("a count keeps the next reply of such entries at its target, recovers, and stays in its bounds")
    func counts() {
        Histories.check("adaptive count", 4_000) { random in
            let setting = (target: random.number(1...100_000), max: random.number(1...500), expected: random.number(1...10_000))
            let events = (0..<40).map { _ in (entries: random.number(0...50), bytes: random.pick([0, 1, 100, 5_000, 1_000_000, 1 << 40])) }
            return (setting, events)
        } run: { setting, events in
            var count = AdaptiveCount(targetBytes: setting.target, maxCount: setting.max, expectedEntryBytes: setting.expected)
            for event in events {
                let before = count.count
                count.read(entries: event.entries, bytes: event.bytes)
                guard (1...setting.max).contains(count.count) else { return "\(count.count)" }
                guard event.entries > 0 else {
                    if count.count != before { return "an empty reply says nothing" }
                    continue
                }
                let mean = event.bytes / event.entries
                if count.count > 1, count.count * mean > setting.target { return "\(count.count) of \(mean) bytes are too many" }
                if count.count > before * 8 / 7 + 1, count.count * mean * 2 > setting.target, before > 1 {
                    return "grew from \(before) to \(count.count)"
                }
            }
            for _ in 0..<400 { count.read(entries: 1, bytes: 10) }
            let settled = min(setting.max, max(1, setting.target / 10))
            return count.count >= settled * 9 / 10 - 1 ? nil : "\(count.count) instead of \(settled) after many small entries"
        }
    }

    @Test("the safe cursor is the least of what every shard has reached, and never falls")
    func watermarks() {
        Histories.check("watermark set", 4_000) { random in
            let setting = (baseline: Position(epoch: 1, seq: Int64(random.below(10))), shards: random.number(1...4))
            let events = (0..<40).map { _ in
                (shard: random.below(6), position: Position(epoch: Int32(random.number(0...2)), seq: Int64(random.below(20))))
            }
            return (setting, events)
        } run: { setting, events in
            var set = WatermarkSet(baseline: setting.baseline, shards: setting.shards)
            var raised = [[Position]](repeating: [], count: setting.shards)
            for event in events {
                set.raise(event.shard, to: event.position)
                if event.shard < setting.shards { raised[event.shard].append(event.position) }
                let reached = raised.map { $0.max() ?? setting.baseline }
                guard set.safeCursor == reached.min() else { return "\(set.safeCursor) of \(reached)" }
                guard let slowest = set.slowest, reached[slowest] == reached.min() else { return "slowest \(String(describing: set.slowest))" }
            }
            return nil
        }
    }

    private enum RetryEvent { case wait(Int), succeed, fail(retryAfter: Int?) }

    @Test("a delay lies between half and all of its step, below the cap, and starts over after a healthy while")
    func retries() {
        Histories.check("retry policy", 4_000) { random in
            let limits = RetryPolicy.Limits(
                base: .milliseconds(random.number(1...500)), cap: .milliseconds(random.number(1...5_000)),
                healthyAfter: .seconds(random.number(0...20)),
                retryAfterMax: .seconds(random.number(0...30)))
            let events = (0..<60).map { _ -> RetryEvent in
                switch random.below(8) {
                case 0, 1: .wait(random.number(0...15))
                case 2: .succeed
                default: .fail(retryAfter: random.once(in: 4) ? random.number(-5...60) : nil)
                }
            }
            return ((limits: limits, seed: random.next()), events)
        } run: { setting, events in
            let limits = setting.limits
            var policy = RetryPolicy(limits: limits)
            var generator = SplitMix64(seed: setting.seed)
            var now = MonotonicTime.zero
            var failures = 0
            var wellSince: MonotonicTime?
            for event in events {
                switch event {
                case .wait(let seconds): now = now + .seconds(seconds)
                case .succeed:
                    policy.succeeded(at: now)
                    if wellSince == nil { wellSince = now }
                case .fail(let retryAfter):
                    let asked = retryAfter.map { Duration.seconds($0) }
                    let delay = policy.failed(at: now, retryAfter: asked, using: &generator)
                    if let since = wellSince, now - since >= limits.healthyAfter { failures = 0 }
                    wellSince = nil
                    var full = limits.base
                    for _ in 0..<failures { full = min(full * 2, limits.cap) }
                    full = min(full, limits.cap)
                    failures += 1
                    guard policy.failures == failures else { return "\(policy.failures) failures instead of \(failures)" }
                    let least = max(full / 2 - .nanoseconds(1), asked.map { min($0, limits.retryAfterMax) } ?? .zero)
                    let most = max(full, asked.map { min($0, limits.retryAfterMax) } ?? .zero)
                    guard delay >= least, delay <= most else { return "\(delay) is not in \(least)...\(most)" }
                }
            }
            return nil
        }
    }
}
