/// Times as the network writes them: `2026-11-21T11:04:23.123456Z`, always 27 bytes.
enum Timestamp {
    static let byteCount = 27

    /// Of microseconds since 1970, in the proleptic Gregorian calendar (days by the algorithm of H. Hinnant's `civil_from_days`).
    static func bytes(microseconds: Int64) -> [UInt8] {
        let day = 86_400_000_000 as Int64
        let days = microseconds.quotientFloor(day)
        let rest = microseconds - days * day
        let z = days + 719_468
        let era = z.quotientFloor(146_097)
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)

        var out: [UInt8] = []
        out.reserveCapacity(byteCount)
        append(year, 4, "-", &out)
        append(month, 2, "-", &out)
        append(dayOfMonth, 2, "T", &out)
        append(rest / 3_600_000_000, 2, ":", &out)
        append(rest / 60_000_000 % 60, 2, ":", &out)
        append(rest / 1_000_000 % 60, 2, ".", &out)
        append(rest % 1_000_000, 6, "Z", &out)
        return out
    }

    static func text(microseconds: Int64) -> String { String(decoding: bytes(microseconds: microseconds), as: UTF8.self) }

    private static func append(_ value: Int64, _ width: Int, _ end: Unicode.Scalar, _ out: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            out.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
        out.append(UInt8(ascii: end))
    }
}

extension Int64 {
    fileprivate func quotientFloor(_ divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
