/// Which faults fall due at which event: the schedules, and what was asked for and has not been due yet.
///
/// A schedule draws from a stream of its own at each event, so the same seed puts the same faults at the same events.
struct FaultPlan: Sendable {
    struct Due: Hashable, Sendable {
        var order: FaultOrder
        /// The relay or labeler it goes to; 0 where neither has a part in it.
        var relay: Int
    }

    private struct Schedule: Sendable {
        var due: Due
        var random: RandomStream
    }

    private let seed: UInt64
    private let relays: Int
    private var schedules: [Schedule] = []
    private var waiting: [(due: Due, left: Int)] = []

    init(seed: UInt64, relays: Int) {
        self.seed = seed
        self.relays = relays
    }

    /// Takes an order. One of the same kind and relay that is scheduled already is replaced.
    mutating func take(_ order: FaultOrder) {
        for relay in targets(of: order) {
            let due = Due(order: order, relay: relay)
            if order.everyEvents > 0 || order.count == 0 {
                schedules.removeAll { $0.due.order.kind == order.kind && $0.due.relay == relay }
            }
            if order.everyEvents > 0 {
                let kind = FaultKind.allCases.firstIndex(of: order.kind) ?? 0
                schedules.append(Schedule(due: due, random: RandomStream(seed: seed, "fault", kind, relay)))
            } else if order.count > 0 {
                waiting.append((due, order.count))
            }
        }
    }

    /// The faults of the next event. What was asked for comes one of a kind and relay at a time, so that each has an event of its own.
    mutating func next() -> [Due] {
        var result: [Due] = []
        for index in schedules.indices where schedules[index].random.below(schedules[index].due.order.everyEvents) == 0 {
            result.append(schedules[index].due)
        }
        for index in waiting.indices {
            let due = waiting[index].due
            if result.contains(where: { $0.order.kind == due.order.kind && $0.relay == due.relay }) { continue }
            result.append(due)
            waiting[index].left -= 1
        }
        waiting.removeAll { $0.left <= 0 }
        return result
    }

    /// Orders that still wait for an event.
    var waitingCount: Int { waiting.reduce(0) { $0 + $1.left } }

    private func targets(of order: FaultOrder) -> [Int] {
        switch order.kind.place {
        case .network, .server: [0]
        case .stream, .forged, .connection, .relay, .labels: order.relay.map { [$0] } ?? Array(0..<relays)
        }
    }
}
