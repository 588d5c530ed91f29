import Foundation

/// How much of a day a soak is: 48 half hours, each with a fault of its own and a share of the traffic.
///
/// What is compressed, against a day of the public network (500 to 1,000 commits a second, so 900,000 or more in each half hour):
/// - **the number of events**: by default at least 250 in each half hour, one of 3,600. `WEIR_TEST_SOAK_EVENTS=900000 WEIR_TEST_SOAK_RATE=500` makes
///   all of them, and the day then lasts a day; at `WEIR_TEST_SOAK_RATE=2000`, where the machine takes it, six hours.
/// - **time**: events come at `WEIR_TEST_SOAK_RATE` a second, and a half hour ends when its events were made, its fault is over and the fleet has
///   caught up. Faults are not compressed: a lease, a restart, a back-off takes as long as it takes, though leases are shorter than the defaults.
///   So by default there is hardly a moment without a fault, where a day has one in half an hour.
/// - **the size of the network**: 60 accounts, whose repositories keep their size. What a fleet keeps for each of millions of accounts is not
///   tried here.
struct SoakDay: Hashable, Sendable {
    /// Simulated half hours, each with one fault: `WEIR_TEST_SOAK_HALF_HOURS`, 1 to 4,800.
    var halfHours = 48
    /// Events that the network makes in each: `WEIR_TEST_SOAK_EVENTS`, 50 to 2,000,000.
    var events = 250
    /// Events a second while nothing is wrong: `WEIR_TEST_SOAK_RATE`, 50 to 5,000. The simulator makes no more than the fleet takes.
    var rate = 150
    /// Log, clients and record are compared, and forgotten, each so many events at most: the memory that a run of any length needs.
    static let partEvents = 40_000

    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        halfHours = try Self.number("WEIR_TEST_SOAK_HALF_HOURS", 1...4_800, environment) ?? halfHours
        events = try Self.number("WEIR_TEST_SOAK_EVENTS", 50...2_000_000, environment) ?? events
        rate = try Self.number("WEIR_TEST_SOAK_RATE", 50...5_000, environment) ?? rate
    }

    /// How long so many events may take, on a machine that does a tenth of what was asked for.
    func limit(events: Int) -> Duration { .seconds(120 + 10 * events / rate) }

    /// What the whole test may take: a minute and a half for each fault, and the traffic at a third of its rate.
    static var minutesMax: Int {
        guard let day = try? SoakDay() else { return 1 }
        return day.halfHours * 3 / 2 + day.halfHours * day.events * 3 / day.rate / 60 + 5
    }

    /// The simulated time of day at which a half hour begins.
    static func clock(_ halfHour: Int) -> String { "\(halfHour / 2 % 24):\(halfHour.isMultiple(of: 2) ? "00" : "30")" }

    private static func number(_ name: String, _ allowed: ClosedRange<Int>, _ environment: [String: String]) throws -> Int? {
        guard let text = environment[name] else { return nil }
        guard let value = Int(text), allowed.contains(value) else {
            throw ScenarioFailure("\(name)=\(text): \(allowed.lowerBound) to \(allowed.upperBound) is allowed")
        }
        return value
    }
}
