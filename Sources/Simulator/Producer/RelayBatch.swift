/// One batch on its way: for each relay its items and its faults.
struct RelayBatch: Sendable {
    private(set) var items: [[RelayItem]]
    var orders: [[FaultOrder]]
    /// Faults of streams that fall due at an event, by the event's number. What finds no occasion there waits for the next event, and what
    /// is left at the end for the next batch.
    var due: [(fault: FaultPlan.Due, at: Int)] = []

    init(relays: Int) {
        items = Array(repeating: [], count: relays)
        orders = Array(repeating: [], count: relays)
    }

    /// A message for one relay only.
    mutating func add(_ message: SentMessage, toOnly relay: Int) {
        items[relay].append(RelayItem(content: .message(message)))
    }

    /// A message for all relays, with what is due at this event: one treatment a relay, the others wait for another event.
    mutating func add(_ message: SentMessage, faultsAt number: Int?) {
        var faults = Array(repeating: Set<FaultKind>(), count: items.count)
        var leaving = 0
        var later: [FaultPlan.Due] = []
        while let first = due.first, let number, first.at <= number {
            let fault = due.removeFirst().fault
            let isTreated = !faults[fault.relay].isEmpty
            switch fault.order.kind {
            case .duplicate where isTreated, .reorder where isTreated, .dropCommit where isTreated: later.append(fault)
            case .duplicate, .reorder: faults[fault.relay].insert(fault.order.kind)
            case .dropCommit:
                // One relay at least must have it, or nobody sent it.
                if message.isCommit, leaving + 1 < items.count {
                    leaving += 1
                    faults[fault.relay].insert(.dropCommit)
                } else {
                    later.append(fault)
                }
            default: items[fault.relay].append(RelayItem(content: .injected(fault.order.kind, time: message.time)))
            }
        }
        if let number { due.insert(contentsOf: later.map { ($0, number + 1) }, at: 0) }
        for relay in items.indices { items[relay].append(RelayItem(content: .message(message), faults: faults[relay])) }
    }
}
