import Synchronization

/// The faults under way at the directory and at the repository hosts.
final class ServerFaults: Sendable {
    /// One fault of a kind at a time for each host and each account; nil is any.
    private struct Key: Hashable {
        var kind: FaultKind
        var host: Int?
        var did: String?
    }

    private struct Active {
        var order: FaultOrder
        /// Requests that it still meets, nil is all until the deadline.
        var requestsLeft: Int?
        var until: ContinuousClock.Instant
    }

    private struct State {
        var active: [Key: Active] = [:]
        /// Where the answers wait that hang.
        var gates: [Key: ReplyGate] = [:]
    }

    private let state = Mutex(State())
    private let counters: FaultCounters

    init(counters: FaultCounters) { self.counters = counters }

    func begin(_ order: FaultOrder) {
        // A delay's seconds say how late; it always meets a number of requests.
        let requests = order.kind.countsRequests || order.seconds == 0 ? order.count : nil
        let until = ContinuousClock.now + (requests == nil ? .seconds(order.seconds) : .seconds(86_400))
        let key = Key(kind: order.kind, host: order.host, did: order.did)
        state.withLock { $0.active[key] = Active(order: order, requestsLeft: requests, until: until) }
    }

    /// Ends the state that an order of this kind, host and account began, and opens to what hangs by it.
    func end(_ order: FaultOrder) {
        let key = Key(kind: order.kind, host: order.host, did: order.did)
        let gate = state.withLock { state in
            state.active[key] = nil
            return state.gates.removeValue(forKey: key)
        }
        gate?.open()
    }

    /// Of these kinds the first that meets a request now; counts it.
    func meet(_ kinds: FaultKind..., host: Int? = nil, did: String? = nil) -> FaultOrder? {
        let order = take(kinds, host: host, did: did)
        if let order { happened(order.kind, host: host) }
        return order
    }

    /// The same, without counting: the caller finds out whether it can be done, and says so or gives it back.
    func take(_ kinds: [FaultKind], host: Int?, did: String?) -> FaultOrder? {
        state.withLock { state in
            // The common case: nothing is wrong anywhere.
            if state.active.isEmpty { return nil }
            for kind in kinds {
                for key in Self.keys(kind, host: host, did: did) {
                    guard var fault = state.active[key] else { continue }
                    guard fault.until > .now, fault.requestsLeft != 0 else {
                        state.active[key] = nil
                        continue
                    }
                    fault.requestsLeft = fault.requestsLeft.map { $0 - 1 }
                    state.active[key] = fault
                    return fault.order
                }
            }
            return nil
        }
    }

    /// Puts back what ``take(_:host:did:)`` gave and found no occasion.
    func giveBack(_ order: FaultOrder) {
        let key = Key(kind: order.kind, host: order.host, did: order.did)
        state.withLock { state in
            guard let left = state.active[key]?.requestsLeft, state.active[key]?.order == order else { return }
            state.active[key]?.requestsLeft = left + 1
        }
    }

    func happened(_ kind: FaultKind, host: Int?) { counters.happened(kind, at: host.map { .host($0) } ?? .none) }

    /// Where answers wait that hang by this order.
    func gate(of order: FaultOrder) -> ReplyGate {
        let key = Key(kind: order.kind, host: order.host, did: order.did)
        return state.withLock { state in
            let gate = state.gates[key] ?? ReplyGate()
            state.gates[key] = gate
            return gate
        }
    }

    /// From the most particular to the most general.
    private static func keys(_ kind: FaultKind, host: Int?, did: String?) -> [Key] {
        var keys: [Key] = []
        if let did {
            if let host { keys.append(Key(kind: kind, host: host, did: did)) }
            keys.append(Key(kind: kind, did: did))
        }
        if let host { keys.append(Key(kind: kind, host: host)) }
        return keys + [Key(kind: kind)]
    }
}
