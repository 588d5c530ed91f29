import Fleet
import Logging

/// What a part of the bench is given.
struct BenchContext: Sendable {
    /// True: long enough for steady figures. False: all parts together in about two minutes.
    var isFull: Bool
    /// Read by parts that run a fleet; servers that it does not name are made for the part, and removed after it.
    var configuration: FleetConfiguration
    var log: Logger
    var progress: SharedProgress
}

/// One group of rows: measures, with its own servers where it needs some, and leaves nothing behind.
protocol BenchPart: Sendable {
    /// Chosen by `weir bench --only`.
    static var name: String { get }
    static func rows(_ context: BenchContext) async throws -> [BenchRow]
}
