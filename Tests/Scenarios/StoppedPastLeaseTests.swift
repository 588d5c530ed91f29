import Events
import Foundation
import PostgresClient
import Simulator
import TestSupport
import Testing

/// A process that is stopped past its leases knows nothing of it when it is woken: what it was about to write must be refused.
@Suite("Whole fleet: processes are stopped past their leases and woken")
struct StoppedPastLeaseTests {
    @Test(
        "a worker that is stopped past its lease, also inside its transaction, is taken over from, and when it is woken its commit is refused",
        .timeLimit(.minutes(4)))
    func worker() async throws {
        let seed = TestSeed("worker stopped")
        try await FleetUnderTest.run(seed: seed.value) { fleet in
            try await CrashFleet.explaining(seed, fleet) { crashes in
                var generator = seed.generator()
                _ = try await crashes.start("ingester", .ingester)
                _ = try await crashes.start("worker", .worker)
                try await fleet.simulator.set(EventRate(eventsPerSecond: 100))
                for (point, refusal) in Self.refusals {
                    let order = CrashOrder(point, .stop, count: Int.random(in: 3...12, using: &generator))
                    try await Self.stopAndWake(order, refusal, crashes)
                }
                try await Self.compare(seed, crashes)
            }
        }
    }

    /// What the log of a woken worker says of the batch in which it was stopped.
    ///
    /// Before the commit the fence refuses it. Inside the transaction the server has ended the session, so that its locks were free for the
    /// take-over: in mid-COPY the new owner had to ask for that, between two statements the server's own time limit did it.
    private static let refusals: [(CrashPoint, String)] = [
        (.workBeforeCommit, "fenced at commit shard"), (.workMidCopy, "unavailable at commit shard"),
        (.workBeforeCommitSent, "unavailable at commit shard"),
    ]

    private static func stopAndWake(_ order: CrashOrder, _ refusal: String, _ crashes: CrashFleet) async throws {
        let zombie = try await crashes.start("worker to stop at \(order)", .worker, order)
        try await zombie.line(order.proof)
        let held = try await crashes.seqs(ownedBy: zombie)
        #expect(!held.isEmpty)
        try await crashes.waitUntilPassed(held, without: zombie)
        #expect(zombie.isStopped, "\(zombie.name) was not stopped all the while")

        zombie.child.signal(SIGCONT)
        // Of its other shards it may say other things before.
        try await zombie.line(refusal)
        // It is a worker like any other again: gets its share, commits, and ends in order.
        try await crashes.waitUntil { _ in try await !crashes.seqs(ownedBy: zombie).isEmpty }
        let regained = try await crashes.seqs(ownedBy: zombie)
        try await crashes.waitUntil { _ in
            let now = try await crashes.seqs(ownedBy: zombie)
            return regained.contains { now[$0.key, default: 0] > $0.value + 5 }
        }
        try await crashes.end(zombie)
    }

    @Test(
        "an ingester that is stopped past its lease is taken over from, and when it is woken it appends no more and stands by",
        .timeLimit(.minutes(4)))
    func ingester() async throws {
        let seed = TestSeed("ingester stopped")
        try await FleetUnderTest.run(seed: seed.value) { fleet in
            try await CrashFleet.explaining(seed, fleet) { crashes in
                var generator = seed.generator()
                _ = try await crashes.start("worker", .worker)
                try await fleet.simulator.set(EventRate(eventsPerSecond: 100))
                let points: [CrashPoint] = [.ingestAfterReadBeforeAppend, .ingestAfterAppend, .ingestAfterAppendBeforeCursor]
                var reader: WeirProcess?
                for point in points {
                    let order = CrashOrder(point, .stop, count: Int.random(in: 2...3, using: &generator))
                    let zombie = try await crashes.start("ingester to stop at \(order)", .ingester, order)
                    if let reader { try await crashes.end(reader) }
                    try await zombie.line(order.proof)
                    let next = try await crashes.start("ingester after \(point.rawValue)", .ingester)
                    try await crashes.waitUntilReading(next)
                    try await crashes.waitUntilAdvanced(by: 20)
                    #expect(zombie.isStopped, "\(zombie.name) was not stopped all the while")

                    zombie.child.signal(SIGCONT)
                    try await zombie.line("the lease was lost; nothing more is appended")
                    // It stands by; where the other one was too starved to renew a lease, it may read again already.
                    try await crashes.waitUntil { _ in
                        if zombie.child.output.contains("another replica reads this host; standing by") { return true }
                        return try await fleet.owned("upstreams", by: zombie) > 0
                    }
                    try await crashes.end(next)
                    // It stands by like any other: it reads again when the one that took over has gone.
                    try await crashes.waitUntilReading(zombie)
                    reader = zombie
                }
                try await Self.compare(seed, crashes)
            }
        }
    }

    private static func compare(_ seed: TestSeed, _ crashes: CrashFleet) async throws {
        let expected = try await crashes.waitUntilAllIsLogged()
        let differences = LogComparison.differences(expected, try await ActualLog(crashes.fleet.pool))
        let tails = await crashes.tails
        #expect(differences.isEmpty, "\(seed)\n\(differences.joined(separator: "\n"))\n\(tails)")
        #expect(try await FleetUnderTest.number(crashes.fleet.pool, "SELECT coalesce(sum(count), 0)::bigint FROM weir.refused_counts") == 0)
        try await crashes.endAll()
    }
}
