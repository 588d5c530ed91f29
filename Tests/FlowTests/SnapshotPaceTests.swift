import Events
import Testing

@testable import Flow

@Suite("The pace of snapshots")
struct SnapshotPaceTests {
    private func at(_ milliseconds: Int) -> MonotonicTime { MonotonicTime(sinceStart: .milliseconds(milliseconds)) }

    private func isGo(_ verdict: SnapshotPace.Verdict) -> Bool { if case .go = verdict { true } else { false } }

    @Test("where nothing is live as many go at once as are allowed, in the largest parts")
    func quiet() {
        var pace = SnapshotPace(limits: .init(most: 3))
        for _ in 0..<3 { #expect(pace.begin(at: at(0)) == .go(bytes: 512 << 10)) }
        #expect(pace.begin(at: at(0)) == .full)
        pace.end(bytes: 1000, took: .milliseconds(10), at: at(10))
        #expect(isGo(pace.begin(at: at(10))))
        #expect(pace.fetches(of: 64, waiting: [9, 9], at: at(10)) == 64, "however much waits")
    }

    @Test("late live batches lower the share to its least, one part at a time with a rest behind it, and never to nothing")
    func late() {
        var pace = SnapshotPace(limits: .init(most: 4, least: 0.1))
        for time in 0..<10 {
            #expect(isGo(pace.begin(at: at(time * 1000))))
            for step in 0..<2 { pace.live(delay: .milliseconds(90), at: at(time * 1000 + step * 101)) }
            pace.end(bytes: 10_000, took: .milliseconds(20), at: at(time * 1000 + 200))
        }
        #expect(pace.share == 0.1)
        #expect(isGo(pace.begin(at: at(10_000))))
        #expect(pace.begin(at: at(10_000)) == .full)
        pace.end(bytes: 10_000, took: .milliseconds(20), at: at(10_020))
        #expect(pace.begin(at: at(10_020)) == .rest(until: at(10_200)))
        #expect(isGo(pace.begin(at: at(10_200))))
    }

    @Test("the worst of an interval counts, and the share comes back in steps while live batches are in time")
    func recovers() {
        var pace = SnapshotPace(limits: .init(most: 4))
        #expect(isGo(pace.begin(at: at(0))))
        for time in [0, 10, 20] { pace.live(delay: .milliseconds(time == 10 ? 200 : 1), at: at(time)) }
        #expect(pace.share == 1, "the interval goes on")
        pace.live(delay: .milliseconds(1), at: at(101))
        #expect(pace.share == 0.5)
        let lowered = pace.share
        pace.live(delay: .milliseconds(1), at: at(202))
        #expect(pace.share > lowered)
        for time in 3..<40 { pace.live(delay: .milliseconds(1), at: at(time * 101)) }
        #expect(pace.share == 1)
    }

    @Test("where live batches are late without any part, half more than that is the target, until it has not been seen for long")
    func slowByItself() {
        var pace = SnapshotPace(limits: .init(delayTarget: .milliseconds(50)))
        for time in 0..<50 { pace.live(delay: .milliseconds(200), at: at(time * 101)) }
        #expect(pace.delayTarget == .milliseconds(300))
        #expect(pace.share == 1)
        var now = 50 * 101
        func beside(_ delay: Int) {
            _ = pace.begin(at: at(now))
            pace.end(bytes: 1, took: .milliseconds(20), at: at(now))
            now += 101
            pace.live(delay: .milliseconds(delay), at: at(now))
        }
        beside(310)
        #expect(pace.share == 0.5)
        for _ in 0..<1_000 { beside(10) }
        #expect(pace.delayTarget == .milliseconds(50))
    }

    @Test("a slow moment without parts hardly raises the target, and a quick one lowers it at once")
    func slowForAMoment() {
        var pace = SnapshotPace(limits: .init(delayTarget: .milliseconds(50)))
        for time in 0..<50 { pace.live(delay: .milliseconds(40), at: at(time * 101)) }
        #expect(pace.delayTarget == .milliseconds(60))
        // A second and a half in which something else makes live batches late.
        for time in 50..<65 { pace.live(delay: .milliseconds(200), at: at(time * 101)) }
        #expect(pace.delayTarget < .milliseconds(130))
        #expect(pace.share < 0.01 + pace.limits.least, "they are late, whatever it is")
        for time in 65..<75 { pace.live(delay: .milliseconds(40), at: at(time * 101)) }
        #expect(pace.delayTarget < .milliseconds(70))
    }

    @Test("beside live batches as many are fetched as parts are allowed, at least one, and none while what was fetched waits in the streams")
    func fetches() {
        var pace = SnapshotPace(limits: .init(most: 4))
        pace.live(delay: .milliseconds(1), at: at(0))
        #expect(pace.share == 1)
        #expect(pace.fetches(of: 64, waiting: [0, 0, 0, 0], at: at(1)) == 16, "one part at a time of four")
        #expect(pace.fetches(of: 64, waiting: [1, 1, 1, 0], at: at(1)) == 16)
        #expect(pace.fetches(of: 64, waiting: [1, 1, 1, 1], at: at(1)) == 0)
        #expect(pace.fetches(of: 64, waiting: [2, 2, 0, 0], at: at(1)) == 0)
        #expect(pace.fetches(of: 64, waiting: [5_000, 1, 0, 0], at: at(1)) == 16, "a huge repository in one shard")
        for time in 1...8 {
            _ = pace.begin(at: at(time * 101))
            pace.live(delay: .seconds(1), at: at(time * 101))
            pace.end(bytes: 1, took: .milliseconds(20), at: at(time * 101))
        }
        #expect(pace.share == pace.limits.least)
        #expect(pace.fetches(of: 64, waiting: [0, 0, 0, 0], at: at(810)) == 1)
    }

    @Test("once nothing has been live for a while, the full speed is back at once")
    func becomesQuiet() {
        var pace = SnapshotPace(limits: .init(most: 2, quietAfter: .seconds(2)))
        for time in 0..<60 {
            _ = pace.begin(at: at(time * 100))
            pace.live(delay: .seconds(1), at: at(time * 100))
            pace.end(bytes: 1, took: .milliseconds(50), at: at(time * 100))
        }
        #expect(pace.fetches(of: 64, waiting: [], at: at(6000)) == 1)
        #expect(pace.fetches(of: 64, waiting: [], at: at(7900)) == 64)
        for _ in 0..<2 { #expect(isGo(pace.begin(at: at(7900)))) }
    }

    @Test("parts beside live batches grow while they fit into the target and shrink where they do not; a small one says nothing of large ones")
    func parts() {
        var pace = SnapshotPace(limits: .init(delayTarget: .milliseconds(100), partBytes: 1_000...1_500))
        pace.live(delay: .milliseconds(1), at: at(0))
        func take(_ bytes: Int, _ milliseconds: Int) -> SnapshotPace.Verdict {
            let verdict = pace.begin(at: at(1))
            pace.end(bytes: bytes, took: .milliseconds(milliseconds), at: at(1))
            return verdict
        }
        #expect(take(1_000, 20) == .go(bytes: 1_000), "nothing is known of their cost")
        #expect(take(200, 20) == .go(bytes: 1_250))
        #expect(take(1_250, 20) == .go(bytes: 1_250))
        #expect(take(1_500, 90) == .go(bytes: 1_500), "no larger than allowed")
        #expect(take(1_000, 20) == .go(bytes: 1_000), "no smaller than allowed")
    }
}
