import PostgresClient
import Simulator

/// Compares log and clients with the simulator's record part by part, and forgets each part: a run of hours needs the memory of one.
///
/// Nothing is lost by that: a part ends while nothing is under way and all of it is equal, so an event of it that came again later would stand
/// in a later part, which does not expect it.
struct SoakComparison {
    private var expected: ExpectedLog
    private var logged = ActualLog()
    /// Events that the log has to hold, from the beginning.
    private(set) var due = 0
    /// Those of them that were compared.
    private(set) var compared = 0
    private(set) var parts = 0

    init() throws { expected = try ExpectedLog() }

    /// Takes what was sent since the last call.
    mutating func read(_ record: SentRecord) throws {
        try expected.take(record.takeLines())
        due = compared + expected.count
    }

    /// Stops production, waits until everything arrived, compares, and forgets what was equal; the caller goes on with production.
    mutating func compare(_ fleet: FleetUnderTest, _ clients: [FirehoseClient], within limit: Duration) async throws {
        try await fleet.simulator.set(EventRate.paused)
        try await fleet.waitUntil("the simulator holds nothing back") { _ in try await fleet.simulator.status().quiescent }
        try read(fleet.simulator.record)
        let due = due
        var timeout: ScenarioFailure?
        do {
            try await fleet.waitUntil("all of \(due) events are in the log, none is held, and clients have them", within: limit) { pool in
                guard try await fleet.lastSeqs() >= due, clients.allSatisfy({ $0.count >= due }) else { return false }
                return try await FleetUnderTest.number(pool, "SELECT count(*) FROM weir.held") == 0
            }
        } catch let failure as ScenarioFailure {
            timeout = failure
        }
        try await logged.read(fleet.pool)
        var differences = LogComparison.differences(expected, logged)
        for (index, client) in clients.enumerated() {
            differences += LogComparison.differences(expected, client.takeReceived()).map { "client \(index + 1): \($0)" }
        }
        if let timeout { differences.insert("\(timeout); \(logged.count) are in the log", at: 0) }
        try fleet.require(differences.isEmpty, differences.joined(separator: "\n"))
        expected.forgetEvents()
        logged.forgetEvents()
        parts += 1
        compared = due
    }
}
