import Synchronization

/// What `/sinks` showed of each sink again and again, for a comparison of two times.
final class SinkLagWatch: Sendable {
    struct Seen: Sendable {
        var looks = 0
        var lagMs: [Int64] = []
        var backlogMax: Int64 = 0
        var states: Set<String> = []

        /// For a note: the lag that most looks found, and the worst.
        var summary: String {
            let sorted = lagMs.sorted()
            return "lag \(sorted.isEmpty ? 0 : sorted[sorted.count / 2]) ms, at most \(sorted.last ?? 0) ms; backlog at most \(backlogMax)"
        }
    }

    private let seen = Mutex<[String: Seen]>([:])

    func look(_ fleet: FleetUnderTest) async throws {
        for sink in try await fleet.shownSinks().values {
            seen.withLock { seen in
                var known = seen[sink.name] ?? Seen()
                known.looks += 1
                known.lagMs.append(sink.lagMs)
                known.backlogMax = max(known.backlogMax, sink.backlog)
                known.states.insert(sink.state)
                seen[sink.name] = known
            }
        }
    }

    subscript(_ sink: String) -> Seen { seen.withLock { $0[sink] ?? Seen() } }
}
