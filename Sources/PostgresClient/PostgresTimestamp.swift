/// A `timestamptz`: microseconds since 1970-01-01T00:00:00Z, negative before it. Postgres' infinities are the bounds of `Int64`.
public struct PostgresTimestamp: Hashable, Comparable, Sendable {
    public var microsecondsSince1970: Int64

    public init(microsecondsSince1970: Int64) { self.microsecondsSince1970 = microsecondsSince1970 }

    public static func < (a: Self, b: Self) -> Bool { a.microsecondsSince1970 < b.microsecondsSince1970 }

    /// Postgres counts from 2000-01-01.
    static let postgresEpochMicroseconds: Int64 = 946_684_800_000_000

    /// The value on the wire; the infinities stay what they are, and what falls below Postgres' range becomes -infinity.
    var wireValue: Int64 {
        if microsecondsSince1970 == .max { return .max }
        let (value, overflow) = microsecondsSince1970.subtractingReportingOverflow(Self.postgresEpochMicroseconds)
        return overflow ? .min : value
    }

    init(wireValue: Int64) {
        let (value, overflow) = wireValue.addingReportingOverflow(Self.postgresEpochMicroseconds)
        microsecondsSince1970 = wireValue == .min ? .min : overflow ? .max : value
    }
}
