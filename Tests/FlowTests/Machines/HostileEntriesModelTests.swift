import Events
import Testing

@testable import Flow

/// Others can write into the Redis that holds our streams: entries that no ingester would write must not end a worker either.
@Suite("A session tracker and entries that nobody numbered, in random histories")
struct HostileEntriesModelTests {
    @Test("whatever comes, it says something, its watermark never falls, and it keeps a few sessions only")
    func histories() {
        Histories.check("hostile entries", 5_000) { random in
            let numbers: [Int64] = [0, 1, 2, 3, .max - 1, .max]
            let epochs: [Int32] = [0, 1, 2, .max]
            let events = (0..<60).map { _ -> UpstreamEntry in
                var positions: [Position] = []
                for _ in 0..<3 { positions.append(Position(epoch: random.pick(epochs), seq: random.pick(numbers))) }
                let gap = UpstreamEntry.Gap(after: positions[0], through: positions[1])
                let position = positions[2]
                return UpstreamEntry(
                    host: "relay", session: random.pick(numbers), n: random.pick(numbers), position: position,
                    kind: random.pick(UpstreamEntry.Kind.allCases), gap: random.once(in: 3) ? gap : nil, shed: random.once(in: 3))
            }
            return (random.number(1...4), events)
        } run: { kept, events in
            var tracker = SessionTracker(sessionsKept: kept)
            for entry in events {
                let before = tracker.state
                let verdict = tracker.received(entry)
                let after = tracker.state
                if let old = before.watermark, let new = after.watermark, new < old { return "fell from \(old) to \(new) at \(entry)" }
                if after.sessions.count > kept { return "keeps \(after.sessions.count) sessions" }
                if after.sessions != after.sessions.sorted(by: { $0.number < $1.number }) { return "sessions out of order" }
                if verdict == .apply {
                    // Applied is only what was expected.
                    let known = before.sessions.first { $0.number == entry.session }
                    guard let known, known.expectedN == entry.n, entry.n > 0, entry.n < .max else { return "applies \(entry) in \(before)" }
                }
            }
            return nil
        }
    }
}
