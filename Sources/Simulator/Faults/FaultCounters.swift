import Synchronization

/// How often each fault really happened. An order that found no occasion is not counted.
public final class FaultCounters: Sendable {
    private struct Key: Hashable {
        var kind: FaultKind
        var relay: Int
    }

    private let counts = Mutex<[Key: Int]>([:])

    public init() {}

    func happened(_ kind: FaultKind, relay: Int = 0) {
        counts.withLock { $0[Key(kind: kind, relay: relay), default: 0] += 1 }
    }

    /// Over all relays, or at one of them.
    public func count(_ kind: FaultKind, relay: Int? = nil) -> Int {
        counts.withLock { counts in
            if let relay { return counts[Key(kind: kind, relay: relay)] ?? 0 }
            return counts.reduce(0) { $1.key.kind == kind ? $0 + $1.value : $0 }
        }
    }

    /// What happened, by name.
    public var byName: [String: Int] {
        counts.withLock { counts in
            counts.reduce(into: [:]) { $0[$1.key.kind.rawValue, default: 0] += $1.value }
        }
    }
}
