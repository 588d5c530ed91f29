/// A number that only grows, given with each new ownership of a shard, an upstream or a (run, sink).
///
/// Work is committed only where the stored token still equals the worker's: a process that slept past its lease is refused.
public struct FencingToken: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var value: Int64
    public init(_ value: Int64) { self.value = value }
    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
    public var description: String { "\(value)" }
}

/// The name of a process in leases, logs and Postgres' `application_name`: role, host name, process id and a random part, at most 63 bytes.
public struct WorkerID: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
