import Synchronization

/// How often each fault really happened. An order that found no occasion is not counted.
public final class FaultCounters: Sendable {
    /// Where it happened.
    enum Place: Hashable {
        /// In the network, at the directory, or where a relay answered in a host's place.
        case none
        case relay(Int)
        case host(Int)
        case labeler(Int)
    }

    private struct Key: Hashable {
        var kind: FaultKind
        var place: Place
    }

    private let counts = Mutex<[Key: Int]>([:])

    public init() {}

    func happened(_ kind: FaultKind, at place: Place = .none) {
        counts.withLock { $0[Key(kind: kind, place: place), default: 0] += 1 }
    }

    /// Over all places, or at one relay.
    public func count(_ kind: FaultKind, relay: Int? = nil) -> Int {
        if let relay { return count(kind, at: .relay(relay)) }
        return counts.withLock { counts in counts.reduce(0) { $1.key.kind == kind ? $0 + $1.value : $0 } }
    }

    /// At one repository host.
    public func count(_ kind: FaultKind, host: Int) -> Int { count(kind, at: .host(host)) }

    /// At one labeler.
    public func count(_ kind: FaultKind, labeler: Int) -> Int { count(kind, at: .labeler(labeler)) }

    /// What happened, by name.
    public var byName: [String: Int] {
        counts.withLock { counts in
            counts.reduce(into: [:]) { $0[$1.key.kind.rawValue, default: 0] += $1.value }
        }
    }

    private func count(_ kind: FaultKind, at place: Place) -> Int { counts.withLock { $0[Key(kind: kind, place: place)] ?? 0 } }
}
