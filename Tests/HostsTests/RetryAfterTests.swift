import Events
import Testing

@testable import Hosts

@Suite("How long a server asks to stay away")
struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT.
    private let now = WallTime(year: 1994, month: 11, day: 6, hour: 8, minute: 49, second: 37)

    @Test(
        "is read from seconds, dates and times of reset, and bounded",
        arguments: [
            (["retry-after": "30"], 30), (["retry-after": "0"], 0), (["retry-after": "86400"], 900), (["retry-after": "999999999999"], 900),
            (["retry-after": "Sun, 06 Nov 1994 08:50:37 GMT"], 60), (["retry-after": "Sun, 06 Nov 1994 08:40:00 GMT"], 0),
            (["retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"], 900), (["ratelimit-reset": "784111877"], nil),
            (["ratelimit-reset": "120"], 120), (["retry-after": "7", "ratelimit-reset": "120"], 7),
            (["retry-after": "soon", "ratelimit-reset": "120"], 120),
        ] as [([String: String], Int?)])
    func read(headers: [String: String], seconds: Int?) {
        // A second of 1994 is below a thousand million, so it counts as a time from now.
        let expected = seconds ?? 900
        #expect(RetryAfter.read(now: now) { headers[$0] } == .seconds(expected))
    }

    @Test("a time of reset is in seconds since 1970 where it can be one")
    func reset() {
        let now = WallTime(microseconds: 1_790_000_000_500_000)
        #expect(RetryAfter.read(now: now) { ["ratelimit-reset": "1790000060"][$0] } == .seconds(60))
        #expect(RetryAfter.read(now: now) { ["ratelimit-reset": "1789999999"][$0] } == .zero)
    }

    @Test(
        "what is none is as if it were not there",
        arguments: [
            "", "-1", "1.5", "+3", " 3", "1e3", "9999999999999", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 29 Feb 2023 08:49:37 GMT", "٣",
        ])
    func none(text: String) { #expect(RetryAfter.read(now: now) { ["retry-after": text][$0] } == nil) }
}
