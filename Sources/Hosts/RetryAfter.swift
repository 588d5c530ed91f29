public import Events

/// How long a server asks to stay away, from the headers of its answer.
///
/// `Retry-After` in seconds or as a date of RFC 9110 (its preferred form), else `RateLimit-Reset`, which servers of this network send as seconds
/// since 1970 and the draft of that header as seconds from now: what is too small for a time of this century is taken for the latter.
/// Never below zero and never above ``longest``. What can't be read is as if it were not there.
public enum RetryAfter {
    /// No server may silence us for longer.
    public static let longest = Duration.seconds(900)

    /// - Parameter header: the value of a header, by its name in lower case.
    public static func read(now: WallTime, header: (String) -> String?) -> Duration? {
        if let text = header("retry-after") {
            if let seconds = seconds(text) { return bounded(seconds) }
            if let date = HTTPDate.parse(text) { return bounded((date.microseconds - now.microseconds) / 1_000_000) }
        }
        guard let text = header("ratelimit-reset"), let seconds = seconds(text) else { return nil }
        return bounded(seconds < 1_000_000_000 ? seconds : seconds - now.microseconds / 1_000_000)
    }

    private static func bounded(_ seconds: Int64) -> Duration { min(max(.zero, .seconds(seconds)), longest) }

    /// Digits only, at most twelve: more are no time of anybody's.
    private static func seconds(_ text: String) -> Int64? {
        guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int64(text)
    }
}
