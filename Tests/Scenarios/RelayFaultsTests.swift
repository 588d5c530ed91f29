import Simulator
import TestSupport
import Testing

/// Relays that misbehave in every way a relay can, one after the other in one fleet; the first of four relays is sound.
@Suite("Whole fleet: relays misbehave")
struct RelayFaultsTests {
    /// An account event that overtakes a commit which only a slower relay has would rightly withhold it: none of them where commits are left out.
    private static let content = ContentConfiguration(accountPerThousand: 0, syncPerThousand: 0, activitySkew: 1)
    private static let relays = (0..<4).map { RelayConfiguration(name: "relay-\($0)", cursorIsInclusive: $0 % 2 == 1) }

    @Test("everything sent is in the log, once, in order per DID, nothing forged, whatever three of four relays do", .timeLimit(.minutes(5)))
    func misbehave() async throws {
        let seed = TestSeed("relays misbehave")
        // A commit that one relay leaves out waits for the others, also when they are late.
        let settings = ["WEIR_WORKER_PREDECESSOR_WAIT": "60s"]
        try await FleetUnderTest.run(seed: seed.value, content: Self.content, relays: Self.relays, settings: settings) { fleet in
            let (taken, resolved) = (try ProcessMetrics(), try ProcessMetrics())
            let ingester = try await fleet.start("ingest", ["ingest", "firehose"], settings: taken.settings)
            let worker = try await fleet.start("worker", ["worker"], settings: resolved.settings)
            try await fleet.simulator.set(EventRate(eventsPerSecond: 60))
            try await fleet.knowsEveryAccount()

            try await fleet.refusedFault(.malformedFrame, relay: 1, count: 3, as: "malformedMessage")
            try await fleet.refusedFault(.oversizeFrame, relay: 1, count: 1, as: "malformedMessage")
            try await fleet.silentFault(.unknownOp, relay: 1, count: 2)
            try await fleet.silentFault(.unknownType, relay: 1, count: 2)
            try await fleet.refusedFault(.badSignature, relay: 2, count: 2, as: "badSignature")
            try await fleet.refusedFault(.wrongPrevData, relay: 2, count: 2, as: "badInversion")
            try await fleet.refusedFault(.wrongTree, relay: 2, count: 2, as: "badInversion", "missingBlock", "badOperation")
            try await fleet.refusedFault(.futureRev, relay: 2, count: 2, as: "futureRev")
            try await fleet.silentFaults(3, [(.reorder, 20, 5)])
            try await fleet.silentFault(.duplicate, relay: 3, count: 20)
            try await Self.commitsLeftOut(fleet)
            try await Self.everyCopyCounted(fleet, taken, resolved)
            try await fleet.connectionFaults([(.cutMidFrame, 1, []), (.garbageBytes, 2, []), (.errorFrame, 3, ["error_frame"])])
            try await fleet.refusedConnects(.refuse429, relay: 1)
            try await fleet.refusedConnects(.refuse503, relay: 2)
            try await fleet.relayGone(3) { try await fleet.progress() }
            try await fleet.silentFault(.silent, relay: 2, count: 1, seconds: 2)
            try await fleet.silentFault(.delay, relay: 1, count: 20, seconds: 1)
            try await fleet.step("log = record") { try await fleet.settle() }
            try await fleet.end(ingester)
            try await fleet.end(worker)
        }
    }

    /// The relay that leaves commits out is ahead of all others: what follows one of them has to wait for it.
    private static func commitsLeftOut(_ fleet: FleetUnderTest) async throws {
        try await fleet.step("commits left out by a relay that leads") {
            var seen = false
            for _ in 1...10 where !seen {
                let before = fleet.simulator.faults.count(.dropCommit, relay: 3)
                for late in 0...2 { try await fleet.simulator.take(FaultOrder(kind: .delay, relay: late, seconds: 3)) }
                try await fleet.simulator.take(FaultOrder(kind: .dropCommit, relay: 3, count: 20))
                try await fleet.waitUntil("commits are left out") { _ in fleet.simulator.faults.count(.dropCommit, relay: 3) >= before + 20 }
                let sent = try await fleet.simulator.status().relays.map(\.lastSeq)
                try await fleet.waitUntil("a commit waits for its predecessor, or the others have caught up") { _ in
                    if try await fleet.held("predecessor") > 0 { return true }
                    return try await fleet.committed(0) > sent[0]
                }
                seen = try await fleet.held("predecessor") > 0
            }
            try fleet.require(seen, "nothing waits for what was left out")
            for relay in 0...3 { try await fleet.waitUntilReadThrough(relay) }
        }
    }

    /// What was sent twice, out of order and not at all is in the fleet's own counts: each relay's messages were all taken, and every copy that the
    /// network did not need was told to be one.
    private static func everyCopyCounted(_ fleet: FleetUnderTest, _ taken: ProcessMetrics, _ resolved: ProcessMetrics) async throws {
        try await fleet.step("every message is taken, every copy counted") {
            try await fleet.simulator.set(EventRate.paused)
            try await fleet.waitUntil("the simulator holds nothing back") { _ in try await fleet.simulator.status().quiescent }
            let messages = try await fleet.simulator.status().relays.map { Int64($0.messages) }
            for (relay, count) in messages.enumerated() {
                try await fleet.waitUntil("all \(count) messages of relay \(relay) are taken") { _ in
                    try await taken.sum("weir_ingest_events", "\"\(fleet.host(relay))\"") >= count
                }
            }
            let other: [FaultKind] = [
                .malformedFrame, .oversizeFrame, .unknownOp, .unknownType, .badSignature, .wrongPrevData, .wrongTree, .futureRev,
            ]
            let unneeded = messages.reduce(0, +) - Int64(other.reduce(fleet.simulator.record.eventCount) { $0 + fleet.simulator.faults.count($1) })
            try await fleet.waitUntil("\(unneeded) copies are counted") { _ in try await resolved.sum("weir_duplicates_total") >= unneeded }
            fleet.journal.note("\(messages) messages taken, \(try await resolved.sum("weir_duplicates_total")) copies of at least \(unneeded)")
            try await fleet.simulator.set(EventRate(eventsPerSecond: 60))
        }
    }
}
