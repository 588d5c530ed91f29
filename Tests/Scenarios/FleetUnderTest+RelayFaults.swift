import Simulator

/// Faults of relays, each with its injection and its proof on both sides: the simulator counted it, and the consumer noted it.
extension FleetUnderTest {
    /// A frame or commit that is to be refused: counted by the simulator at that relay, and by the consumer under one of `reasons` at least as often.
    ///
    /// A forged commit that comes behind a later commit of its account, which another relay had brought, is a repeat by its revision and rightly
    /// dropped unread. Where the fleet has read past the forged ones and refused fewer than that, more are ordered.
    func refusedFault(_ kind: FaultKind, relay: Int, count: Int, as reasons: String...) async throws {
        try await step("\(kind.rawValue) at relay \(relay)") {
            let (sent, wanted) = (simulator.faults.count(kind, relay: relay), try await refused(reasons) + Int64(count))
            var ordered = 0
            var missing = Int64(count)
            while missing > 0 {
                try require(ordered < count + 30, "of \(ordered) times \(kind.rawValue) fewer than \(count) are refused as \(reasons)")
                ordered += Int(missing)
                let target = sent + ordered
                try await simulator.take(FaultOrder(kind: kind, relay: relay, count: Int(missing)))
                try await waitUntil("\(kind.rawValue) is sent for the time \(target)") { _ in simulator.faults.count(kind, relay: relay) >= target }
                let last = try await simulator.status().relays[relay].lastSeq
                try await waitUntil("\(kind.rawValue) is refused as \(reasons), or read past") { _ in
                    if try await refused(reasons) >= wanted { return true }
                    return try await committed(relay) >= last
                }
                // Refusals are committed with, or before, the position behind them.
                missing = wanted - (try await refused(reasons))
            }
            journal.note("\(ordered) sent for \(count) refused")
        }
    }

    /// What a consumer is to be indifferent to: counted by the simulator, then the whole fleet has read and resolved the relay's stream past it.
    ///
    /// - Parameter faults: `atLeast` is, of a fault that may find no occasion (a message that none overtook was not reordered), how often it has to
    ///   happen; nil is `count`.
    func silentFaults(_ relay: Int, _ faults: [(kind: FaultKind, count: Int, atLeast: Int?)], seconds: Double = 1) async throws {
        let name = faults.map(\.kind.rawValue).joined(separator: ", ")
        try await step("\(name) at relay \(relay)") {
            let before = faults.map { simulator.faults.count($0.kind, relay: relay) }
            for fault in faults {
                try await simulator.take(FaultOrder(kind: fault.kind, relay: relay, count: fault.count, seconds: seconds))
            }
            for (fault, before) in zip(faults, before) {
                let wanted = before + (fault.atLeast ?? fault.count)
                try await waitUntil("\(fault.kind.rawValue) happens") { _ in simulator.faults.count(fault.kind, relay: relay) >= wanted }
            }
            try await waitUntilReadThrough(relay)
        }
    }

    func silentFault(_ kind: FaultKind, relay: Int, count: Int, seconds: Double = 1) async throws {
        try await silentFaults(relay, [(kind, count, nil)], seconds: seconds)
    }

    /// Ends of connections at several relays at once: each is counted at its relay, a session of that relay ends for one of the reasons, and the relay is read again.
    func connectionFaults(_ faults: [(kind: FaultKind, relay: Int, reasons: [String])]) async throws {
        let name = faults.map { "\($0.kind.rawValue) at relay \($0.relay)" }.joined(separator: ", ")
        try await step(name) {
            var before: [(sent: Int, ended: Int64)] = []
            for fault in faults {
                try await waitUntilFollowed(fault.relay)
                before.append((simulator.faults.count(fault.kind, relay: fault.relay), try await endedSessions(fault.relay, fault.reasons)))
            }
            for fault in faults { try await simulator.take(FaultOrder(kind: fault.kind, relay: fault.relay)) }
            for (fault, before) in zip(faults, before) {
                let (kind, relay, reasons) = fault
                try await waitUntil("\(kind.rawValue) happens") { _ in simulator.faults.count(kind, relay: relay) > before.sent }
                try await waitUntil("a session of relay \(relay) ends as \(reasons)") { _ in try await endedSessions(relay, reasons) > before.ended }
            }
            for fault in faults { try await waitUntilConnected(fault.relay) }
        }
    }

    /// Connects are refused for a while, after the open connections ended.
    func refusedConnects(_ kind: FaultKind, relay: Int) async throws {
        try await step("\(kind.rawValue) at relay \(relay)") {
            try await waitUntilFollowed(relay)
            let (before, ended) = (simulator.faults.count(kind, relay: relay), try await endedSessions(relay))
            try await simulator.take(FaultOrder(kind: kind, relay: relay, seconds: 600, retryAfterSeconds: 1))
            try await simulator.take(FaultOrder(kind: .cutOnBoundary, relay: relay))
            try await waitUntil("a connect is refused") { _ in simulator.faults.count(kind, relay: relay) > before }
            try await waitUntil("the session ends") { _ in try await endedSessions(relay) > ended }
            try await simulator.take(FaultOrder(kind: kind, relay: relay, seconds: 0))
            try await waitUntilConnected(relay)
        }
    }

    /// One relay is gone, the others carry on, then it is back and is read from where it was left.
    func relayGone(_ relay: Int, meanwhile: () async throws -> Void = {}) async throws {
        try await step("relay \(relay) gone, then back") {
            try await waitUntilFollowed(relay)
            let (before, ended) = (simulator.faults.count(.gone, relay: relay), try await endedSessions(relay))
            try await simulator.take(FaultOrder(kind: .gone, relay: relay, seconds: 600))
            // One is the connection that ended, the other a connect in vain.
            try await waitUntil("the relay is gone") { _ in simulator.faults.count(.gone, relay: relay) >= before + 2 }
            try await waitUntil("its session ends") { _ in try await endedSessions(relay) > ended }
            try await meanwhile()
            try await simulator.take(FaultOrder(kind: .gone, relay: relay, seconds: 0))
            try await waitUntilConnected(relay)
        }
    }
}
