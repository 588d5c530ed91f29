import Synchronization

/// The faults under way at the directory and at the repository host.
final class ServerFaults: Sendable {
    private struct Active {
        var order: FaultOrder
        /// Requests that it still meets, nil is all until the deadline.
        var requestsLeft: Int?
        var until: ContinuousClock.Instant
    }

    private let active = Mutex<[FaultKind: Active]>([:])
    private let counters: FaultCounters

    init(counters: FaultCounters) { self.counters = counters }

    func begin(_ order: FaultOrder) {
        let isDelay = order.kind == .directoryDelay || order.kind == .hostDelay
        // A delay's seconds say how late; it always meets a number of requests.
        let requests = isDelay || order.seconds == 0 ? order.count : nil
        let until = ContinuousClock.now + (requests == nil ? .seconds(order.seconds) : .seconds(86_400))
        active.withLock { $0[order.kind] = Active(order: order, requestsLeft: requests, until: until) }
    }

    /// Of these kinds the first that meets a request now; counts it.
    func meet(_ kinds: FaultKind...) -> FaultOrder? {
        active.withLock { active in
            for kind in kinds {
                guard var fault = active[kind] else { continue }
                guard fault.until > .now, fault.requestsLeft != 0 else {
                    active[kind] = nil
                    continue
                }
                fault.requestsLeft = fault.requestsLeft.map { $0 - 1 }
                active[kind] = fault
                counters.happened(kind)
                return fault.order
            }
            return nil
        }
    }
}
