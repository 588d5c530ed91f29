import Broker
import Events

/// The `Date` of a reply (RFC 9110 §5.6.7), as `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    static func now() -> String { text(.current) }

    static func text(_ time: WallTime) -> String {
        // `1994-11-06T08:49:37.000000Z`
        let stamp = time.rfc3339.utf8.map { Int($0) - 48 }
        guard stamp.count == 27 else { return "Thu, 01 Jan 1970 00:00:00 GMT" }
        func two(_ at: Int) -> String { "\(stamp[at])\(stamp[at + 1])" }
        let month = stamp[5] * 10 + stamp[6]
        let days = (time.microseconds / 86_400_000_000 + 4) % 7
        let year = two(0) + two(2)
        return "\(weekdays[Int((days + 7) % 7)]), \(two(8)) \(months[month - 1]) \(year) \(two(11)):\(two(14)):\(two(17)) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
