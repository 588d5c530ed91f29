import Events

/// Times as people say them.
enum TimeText {
    /// `12 ms`, `3.4 s`, `2 min 05 s`, `1 h 03 min`, `4 d 2 h`.
    static func short(_ duration: Duration) -> String { short(milliseconds: duration.milliseconds) }

    static func short(milliseconds: Int64) -> String {
        if milliseconds < 0 { return "-" + short(milliseconds: milliseconds == .min ? .max : -milliseconds) }
        let seconds = milliseconds / 1000
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        switch seconds {
        case 0: return "\(milliseconds) ms"
        case ..<60: return "\(seconds).\(milliseconds % 1000 / 100) s"
        case ..<3600: return "\(seconds / 60) min \(two(seconds % 60)) s"
        case ..<86_400: return "\(seconds / 3600) h \(two(seconds % 3600 / 60)) min"
        default: return "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
        }
    }
}
