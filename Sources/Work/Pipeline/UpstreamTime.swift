internal import Events

/// Reads the `time` of upstreams' messages: RFC 3339, as the datetime format of the lexicons. Digits below a microsecond are dropped.
enum UpstreamTime {
    static func parse(_ text: String) -> WallTime? {
        let b = Array(text.utf8)
        guard b.count >= 20, b.count <= 64, b[4] == dash, b[7] == dash, b[10] == UInt8(ascii: "T") || b[10] == UInt8(ascii: "t"), b[13] == colon,
            b[16] == colon, let year = number(b, 0, 4), let month = number(b, 5, 2), let day = number(b, 8, 2), let hour = number(b, 11, 2),
            let minute = number(b, 14, 2), let second = number(b, 17, 2), (1...12).contains(month), (1...days(in: month, of: year)).contains(day),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        var place = 19
        var fraction: Int64 = 0
        if b[place] == UInt8(ascii: ".") {
            place += 1
            let start = place
            var scale: Int64 = 100_000
            while place < b.count, isDigit(b[place]) {
                fraction += Int64(b[place] - UInt8(ascii: "0")) * scale
                scale /= 10
                place += 1
            }
            guard place > start else { return nil }
        }
        guard let offset = offsetMinutes(b, at: place) else { return nil }
        let time = WallTime(year: year, month: month, day: day, hour: hour, minute: minute - offset, second: second)
        return WallTime(microseconds: time.microseconds + fraction)
    }

    private static let dash = UInt8(ascii: "-")
    private static let colon = UInt8(ascii: ":")

    private static func offsetMinutes(_ b: [UInt8], at place: Int) -> Int? {
        guard place < b.count else { return nil }
        if b[place] == UInt8(ascii: "Z") || b[place] == UInt8(ascii: "z") { return place + 1 == b.count ? 0 : nil }
        guard place + 6 == b.count, b[place] == UInt8(ascii: "+") || b[place] == dash, b[place + 3] == colon, let hours = number(b, place + 1, 2),
            let minutes = number(b, place + 4, 2), hours < 24, minutes < 60
        else { return nil }
        return b[place] == dash ? -(hours * 60 + minutes) : hours * 60 + minutes
    }

    private static func number(_ b: [UInt8], _ start: Int, _ count: Int) -> Int? {
        var value = 0
        for byte in b[start..<start + count] {
            guard isDigit(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
