import Events
import Testing

@testable import Work

@Suite("What strangers write: times")
struct StrangersTextTests {
    @Test(
        "a time is read whatever its precision and offset",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000Z", 0), ("1970-01-01T00:00:01.5Z", 1_500_000),
            ("2025-02-06T01:05:06.528Z", 1_738_803_906_528_000), ("2025-02-06T02:05:06.528+01:00", 1_738_803_906_528_000),
            ("2024-02-29T23:59:59.123456789Z", 1_709_251_199_123_456), ("1969-12-31T23:59:59Z", -1_000_000),
        ])
    func times(text: String, microseconds: Int64) { #expect(UpstreamTime.parse(text) == WallTime(microseconds: microseconds)) }

    @Test(
        "what is no time is refused",
        arguments: [
            "", "2025-02-06", "2025-02-06T01:05:06", "2025-13-06T01:05:06Z", "2025-02-29T01:05:06Z", "2025-02-06T25:05:06Z", "2025-02-06T01:05:06.Z",
            "2025-02-06T01:05:06Zx", "2025-02-06 01:05:06Z", "-025-02-06T01:05:06Z",
        ])
    func noTimes(text: String) { #expect(UpstreamTime.parse(text) == nil) }
}
