import Events
import TestSupport
import Testing

@testable import Flow

@Suite("A job feed")
struct JobFeedTests {
    private func at(_ seconds: Double) -> MonotonicTime { MonotonicTime(sinceStart: .seconds(seconds)) }
    private let limits = JobFeed.Limits(highWater: 100, batch: 40)

    @Test("fills up to the high-water mark in batches, and looks again at once while there may be more")
    func fills() {
        var feed = JobFeed(limits: limits)
        #expect(feed.looked(length: 0, now: at(0)).feed == 40)
        #expect(feed.fed(40) == true)
        #expect(feed.looked(length: 40, now: at(0)).feed == 40)
        #expect(feed.fed(40) == true)
        #expect(feed.looked(length: 80, now: at(0)).feed == 20)
        #expect(feed.fed(20) == true)
        #expect(feed.looked(length: 100, now: at(0)).feed == 0)
        #expect(feed.fed(0) == false)
    }

    @Test("where fewer jobs wait than there is room for, it waits for the next look")
    func exhausted() {
        var feed = JobFeed(limits: limits)
        #expect(feed.looked(length: 10, now: at(0)).feed == 40)
        #expect(feed.fed(39) == false)
        #expect(feed.fed(0) == false)
    }

    @Test("a full stream is left alone down to its low-water mark")
    func hysteresis() {
        var feed = JobFeed(limits: limits)
        #expect(feed.looked(length: 100, now: at(0)).feed == 0)
        #expect(feed.looked(length: 76, now: at(1)).feed == 0)
        #expect(feed.looked(length: 75, now: at(2)).feed == 25)
        #expect(feed.looked(length: 99, now: at(3)).feed == 1, "it fills until it is full")
        #expect(feed.looked(length: 140, now: at(4)).feed == 0)
    }

    @Test("jobs past their deadline are looked for once in a second, and those in the stream are kept at their own pace")
    func pace() {
        var feed = JobFeed(limits: limits)
        #expect(feed.looked(length: 90, now: at(0)) == JobFeed.Round(keeps: true, sweeps: true, feed: 10))
        #expect(feed.looked(length: 90, now: at(0.9)) == JobFeed.Round(feed: 10))
        #expect(feed.looked(length: 90, now: at(1)) == JobFeed.Round(sweeps: true, feed: 10))
        #expect(feed.looked(length: 90, now: at(15)).keeps)
    }

    @Test("a stream that has become empty is a reason to look for lost jobs at once, one that stays empty is not")
    func emptied() {
        var feed = JobFeed(limits: limits)
        #expect(feed.looked(length: 100, now: at(0)).sweeps)
        #expect(feed.looked(length: 0, now: at(0.2)) == JobFeed.Round(sweeps: true, isEmpty: true, feed: 40))
        _ = feed.fed(0)
        #expect(feed.looked(length: 0, now: at(0.4)) == JobFeed.Round(isEmpty: true, feed: 40))
        _ = feed.fed(3)
        #expect(feed.looked(length: 0, now: at(0.6)).sweeps, "what was just fed is gone")
    }

    @Test("never passes the high-water mark, and a consumer is never left without jobs that wait")
    func histories() {
        let seed = TestSeed("job feed")
        for history in 0..<300 {
            var random = SplitMix64(seed: seed.value &+ UInt64(history))
            let limits = JobFeed.Limits(highWater: 1 + random.below(50), batch: 1 + random.below(20))
            var feed = JobFeed(limits: limits)
            var (length, waiting) = (0, random.below(400))
            for step in 0..<1_000 {
                let round = feed.looked(length: length, now: at(Double(step) / 5))
                let count = min(round.feed, waiting)
                length += count
                waiting -= count
                #expect(length <= limits.highWater, "\(seed), history \(history)")
                if round.isEmpty, waiting > 0 { #expect(count > 0, "\(seed), history \(history)") }
                if feed.fed(count) { continue }
                length -= random.below(length + 1)
            }
            while waiting > 0, length <= limits.highWater {
                let count = min(feed.looked(length: length, now: at(1_000)).feed, waiting)
                waiting -= count
                length = 0
                _ = feed.fed(count)
            }
            #expect(waiting == 0, "\(seed), history \(history)")
        }
    }
}
