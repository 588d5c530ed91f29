/// What a sink delivers to.
public enum SinkKind: String, Hashable, Sendable, CaseIterable {
    /// A file with one JSON object a line, on the worker's machine.
    case file
    /// The worker's standard output, one JSON object a line.
    case stdout
    /// A stream in Redis that may hold several runs.
    case redis
    /// A server of somebody's, over HTTP.
    case webhook
    /// A table in Postgres.
    case postgres

    /// Events of a batch unless the sink says otherwise.
    var batchEvents: Int { self == .webhook ? 50 : 500 }
}

/// What is kept of the log in a Postgres table.
public enum TableMode: String, Hashable, Sendable, CaseIterable {
    /// A row each event.
    case append
    /// A row each key that there is: the latest event of it; a delete removes it.
    case upsert
}

/// What becomes of an event that its target refuses again and again.
public enum PoisonPolicy: String, Hashable, Sendable, CaseIterable {
    /// The run stops in this sink until an operator has looked.
    case halt
    /// The event is laid aside, and the run goes on behind it.
    case deadLetter = "dead-letter"
}

/// Where a sink begins in the runs that are there when it is made. A run that is made later is always delivered from its first event.
public enum SinkStart: Hashable, Sendable, CustomStringConvertible {
    case now
    /// At this seq of every run; 1 is the earliest.
    case seq(Int64)

    public static let earliest = SinkStart.seq(1)

    public var description: String {
        switch self {
        case .now: "now"
        case .earliest: "earliest"
        case .seq(let seq): "\(seq)"
        }
    }

    public init?(_ text: some StringProtocol) {
        switch text {
        case "now": self = .now
        case "earliest": self = .earliest
        default:
            guard let seq = Int64(text), (1...(1 << 53)).contains(seq) else { return nil }
            self = .seq(seq)
        }
    }
}
