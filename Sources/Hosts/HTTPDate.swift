internal import Events

/// Reads a date of HTTP in its preferred form, `Sun, 06 Nov 1994 08:49:37 GMT`. The two obsolete forms are not read.
///
/// The name of the weekday is not compared with the date. Source: RFC 9110 §5.6.7.
enum HTTPDate {
    static func parse(_ text: String) -> WallTime? {
        let b = Array(text.utf8)
        guard b.count == 29, b[3] == comma, [4, 7, 11, 16, 25].allSatisfy({ b[$0] == space }), b[19] == colon, b[22] == colon,
            b[26...].elementsEqual("GMT".utf8), let day = number(b[5..<7]), let month = month(b[8..<11]), let year = number(b[12..<16]),
            let hour = number(b[17..<19]), let minute = number(b[20..<22]), let second = number(b[23..<25]),
            (1...days(in: month, of: year)).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        return WallTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }

    private static let comma = UInt8(ascii: ",")
    private static let space = UInt8(ascii: " ")
    private static let colon = UInt8(ascii: ":")
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func month(_ bytes: ArraySlice<UInt8>) -> Int? {
        months.firstIndex { $0.utf8.elementsEqual(bytes) }.map { $0 + 1 }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
