/// Places in the ingester at which a test may stop, delay or kill the process. A release does nothing there.
public protocol FaultSeam: Sendable {
    /// Called as `place` is reached; returns when the ingester may go on.
    func reached(_ place: String) async
}

/// No fault anywhere.
public struct NoFaults: FaultSeam {
    public init() {}
    public func reached(_ place: String) async {}
}

/// The names of the ingester's places, in one file so that a test can prove each to have been reached.
public enum IngestFaultPlace {
    /// The session is numbered in Postgres, nothing of it stands in Redis.
    public static let sessionOpened = "ingest.after-open-session"
    /// A pipeline was answered, its results are not taken yet.
    public static let appended = "ingest.after-append"
    /// Every shard has acknowledged a barrier, the hint does not say so yet.
    public static let beforeCursor = "ingest.after-append-before-cursor"
    public static let all = [sessionOpened, appended, beforeCursor]
}
