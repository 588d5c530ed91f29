/// A `date`: days since 1970-01-01, negative before it.
public struct PostgresDate: Hashable, Comparable, Sendable {
    public var daysSince1970: Int32

    public init(daysSince1970: Int32) { self.daysSince1970 = daysSince1970 }

    public static func < (a: Self, b: Self) -> Bool { a.daysSince1970 < b.daysSince1970 }

    /// Postgres counts from 2000-01-01.
    static let postgresEpochDays: Int32 = 10957

    var wireValue: Int32 { daysSince1970.subtractingReportingOverflow(Self.postgresEpochDays).partialValue }

    init(wireValue: Int32) { daysSince1970 = wireValue.addingReportingOverflow(Self.postgresEpochDays).partialValue }
}
