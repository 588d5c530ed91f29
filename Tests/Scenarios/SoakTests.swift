import Simulator
import TestSupport
import Testing

/// A day of traffic, faster than it happens, with a fault in every half hour; ``SoakDay`` says what is compressed, and how to run all of it.
@Suite("Whole fleet: an accelerated day")
struct SoakTests {
    /// As many records are deleted as are made, so that repositories keep their size. Accounts do not come and go: an account event that overtakes a
    /// commit which only a slower relay has would rightly withhold it.
    private static let content = ContentConfiguration(
        initialRecordsMax: 200, createWeight: 0.45, updateWeight: 0.1, deleteWeight: 0.45, accountPerThousand: 0, syncPerThousand: 0)

    @Test(
        "through a day with a fault in every half hour log = record = clients, nobody ends without being ended, and memory is flat",
        .timeLimit(.minutes(SoakDay.minutesMax)))
    func day() async throws {
        let seed = TestSeed("soak")
        let day = try SoakDay()
        // A commit that one relay leaves out waits for the other, also when that is late.
        let own = ["WEIR_WORKER_PREDECESSOR_WAIT": "60s", "WEIR_RELAY_RECONNECT_MAX": "2s"]
        let settings = ScenarioLeases.settings.merging(own) { $1 }
        try await FleetUnderTest.run(seed: seed.value, content: Self.content, settings: settings) { fleet in
            var run = try await SoakRun(day: day, roles: SoakFleet.start(fleet), random: seed.generator())
            try await run.live()
            print("soak: \(run.summary)")
            #expect(run.memory.growing.isEmpty, "\(run.memory.growing.joined(separator: "\n"))\n\(seed)")
            try await run.roles.end()
        }
    }
}

/// One soak: a half hour after the other, and what is known of them so far.
private struct SoakRun {
    let day: SoakDay
    var roles: SoakFleet
    var random: SeededGenerator
    private(set) var memory = MemoryWatch()
    private var comparison: SoakComparison
    private var fleet: FleetUnderTest { roles.fleet }

    init(day: SoakDay, roles: SoakFleet, random: SeededGenerator) throws {
        self.day = day
        self.roles = roles
        self.random = random
        comparison = try SoakComparison()
    }

    mutating func live() async throws {
        try await flow()
        try await fleet.knowsEveryAccount()
        for (index, fault) in SoakFault.drawn(day.halfHours, using: &random).enumerated() {
            fleet.journal.note("\(SoakDay.clock(index)) \(fault)")
            let sent = fleet.simulator.record.eventCount
            try await roles.inject(fault, using: &random)
            try await traffic(through: sent + day.events)
            try roles.requireAllAlive(after: fault.rawValue)
            try memory.sample(roles.veterans.all)
            // Four times a day all is compared, however little that is.
            if index % 12 == 11 { try await compare() }
        }
        try await compare()
    }

    /// Waits until so many events were made, and the fleet has all of them: the next fault meets live traffic, not only a backlog.
    private mutating func traffic(through events: Int) async throws {
        repeat {
            let part = min(events, fleet.simulator.record.eventCount + SoakDay.partEvents / 4)
            try await fleet.waitUntil("\(part) events are made", within: day.limit(events: SoakDay.partEvents)) { [fleet] _ in
                fleet.simulator.record.eventCount >= part
            }
            try comparison.read(fleet.simulator.record)
            let due = comparison.due
            try await fleet.waitUntil("\(due) events are logged", within: day.limit(events: SoakDay.partEvents)) { [fleet] _ in
                try await fleet.lastSeqs() >= due
            }
            if due - comparison.compared >= SoakDay.partEvents { try await compare() }
        } while fleet.simulator.record.eventCount < events
    }

    private mutating func compare() async throws {
        try await fleet.step("log = record = clients, from event \(comparison.compared + 1) on") {
            try await comparison.compare(fleet, roles.clients, within: day.limit(events: SoakDay.partEvents))
        }
        try await flow()
    }

    private func flow() async throws {
        try await fleet.simulator.set(EventRate(eventsPerSecond: Double(day.rate), followsReaders: true))
    }

    var summary: String {
        "\(day.halfHours) half hours, a fault in each; \(comparison.compared) events compared in \(comparison.parts) parts; "
            + "\(roles.killed) processes killed, none ended by itself; \(memory.summary)"
    }
}
