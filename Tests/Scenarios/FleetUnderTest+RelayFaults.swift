import Simulator

/// Faults of relays, each with its injection and its proof on both sides: the simulator counted it, and the consumer noted it.
extension FleetUnderTest {
    /// A frame or commit that is to be refused: counted by the simulator at that relay, and by the consumer under one of `reasons` at least as often.
    func refusedFault(_ kind: FaultKind, relay: Int, count: Int, as reasons: String...) async throws {
        try await step("\(kind.rawValue) at relay \(relay)") {
            let (sent, refused) = (simulator.faults.count(kind, relay: relay), try await refused(reasons))
            try await simulator.take(FaultOrder(kind: kind, relay: relay, count: count))
            try await waitUntil("\(count) times \(kind.rawValue) is sent") { _ in simulator.faults.count(kind, relay: relay) >= sent + count }
            try await waitUntil("it is refused as \(reasons)", within: .seconds(30)) { _ in try await self.refused(reasons) >= refused + Int64(count)
            }
        }
    }

    /// A fault that leaves no trace but in the simulator's counter: a consumer is to be indifferent to it.
    ///
    /// `atLeast`: of a fault that may find no occasion (a message that none overtook was not reordered), how often it has to happen.
    func silentFault(_ kind: FaultKind, relay: Int, count: Int, atLeast: Int? = nil, seconds: Double = 1) async throws {
        try await step("\(kind.rawValue) at relay \(relay)") {
            let before = simulator.faults.count(kind, relay: relay)
            try await simulator.take(FaultOrder(kind: kind, relay: relay, count: count, seconds: seconds))
            let wanted = atLeast ?? count
            try await waitUntil("\(wanted) times \(kind.rawValue)") { _ in simulator.faults.count(kind, relay: relay) >= before + wanted }
        }
    }

    /// Ends of connections at several relays at once: each is counted at its relay, a session of that relay ends for one of the reasons, and the relay is read again.
    func connectionFaults(_ faults: [(kind: FaultKind, relay: Int, reasons: [String])]) async throws {
        let name = faults.map { "\($0.kind.rawValue) at relay \($0.relay)" }.joined(separator: ", ")
        try await step(name) {
            var before: [(sent: Int, ended: Int64)] = []
            for fault in faults {
                try await waitUntilConnected(fault.relay)
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
            try await waitUntilConnected(relay)
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
