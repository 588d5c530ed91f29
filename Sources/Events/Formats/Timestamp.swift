extension WallTime {
    /// RFC 3339 in UTC with microseconds: `2026-07-01T12:00:00.000000Z`. Years 0000 to 9999 as that standard has them; others are
    /// written with as many digits (and the sign) as they need.
    public var rfc3339: String {
        let (days, microsecondsOfDay) = Self.divide(microseconds, by: 86_400_000_000)
        let (year, month, day) = Self.civil(daysSinceEpoch: days)
        let seconds = microsecondsOfDay / 1_000_000
        let date = "\(Self.pad(year, to: 4))-\(Self.pad(month, to: 2))-\(Self.pad(day, to: 2))"
        let time = "\(Self.pad(seconds / 3600, to: 2)):\(Self.pad(seconds / 60 % 60, to: 2)):\(Self.pad(seconds % 60, to: 2))"
        return "\(date)T\(time).\(Self.pad(microsecondsOfDay % 1_000_000, to: 6))Z"
    }

    /// A date and time of day in UTC, of the proleptic Gregorian calendar; the caller has checked that there is such a date.
    public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        self.init(microseconds: Int64(((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000)
    }

    /// Quotient rounded down and the remainder, 0 to `divisor` − 1: days before 1970 count backwards.
    private static func divide(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// The proleptic Gregorian date of a day number, counted in 400-year eras that begin on 1 March of year 0.
    private static func civil(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = divide(daysSinceEpoch + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func pad(_ number: Int64, to width: Int) -> String {
        let digits = String(number.magnitude)
        let padded = String(repeating: "0", count: max(0, width - digits.count)) + digits
        return number < 0 ? "-" + padded : padded
    }
}
