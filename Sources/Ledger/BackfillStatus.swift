public import Events
internal import PostgresClient

/// Enumerations, the jobs that have not ended, and hosts that are left alone.
public struct BackfillStatus: Sendable {
    public struct Source: Sendable {
        public var host: String
        public var method: String
        public var state: BackfillSource.State
        public var pass: Int
        /// How often the pass had to begin again.
        public var restarts: Int
        public var listed: Int64
        /// What went wrong last; empty where nothing does.
        public var error: String
        /// Of the pass; what is open as its owner counted last.
        public var counts: BackfillCounts
        public var startedAt: WallTime
    }

    /// Up to ``countMax`` each.
    public struct Jobs: Hashable, Sendable {
        public var waiting: Int64 = 0
        public var queued: Int64 = 0
        public var fetching: Int64 = 0
        public var streamed: Int64 = 0
    }

    /// A count of this many means: or more.
    public static let countMax: Int64 = 100_000
    /// Sources, and parked hosts, that are listed at most.
    public static let listedMax = 100

    public var sources: [Source] = []
    public var jobs = Jobs()
    public var parkedCount: Int64 = 0
    /// Those that are left alone for longest.
    public var parked: [ParkedHost] = []

    public init() {}

    static let statements = [
        PostgresStatement(JobSQL.statusSources, [.int64(Int64(listedMax))]), PostgresStatement(JobSQL.statusJobs, [.int64(countMax)]),
        PostgresStatement(JobSQL.parkedHosts, [.int64(Int64(listedMax))]),
    ]

    /// From the answers to ``statements``.
    init(_ answers: ArraySlice<PostgresRows>) throws {
        var answers = answers
        sources = try answers.popFirst()?.map(Self.source) ?? []
        if let row = answers.popFirst()?.first {
            jobs = Jobs(
                waiting: try row.value("waiting"), queued: try row.value("queued"), fetching: try row.value("fetching"),
                streamed: try row.value("streamed"))
            parkedCount = try row.value("parked")
        }
        parked = try answers.popFirst()?.map(Ledger.parkedHost) ?? []
    }

    private static func source(_ row: PostgresRow) throws -> Source {
        Source(
            host: try row.value("source"), method: try row.value("method"), state: try row.known("state"),
            pass: Int(try row.value("pass", as: Int32.self)), restarts: Int(try row.value("restarts", as: Int32.self)),
            listed: try row.value("listed"), error: try row.value("error"), counts: try Ledger.counts(row), startedAt: try row.time("started_at"))
    }
}
