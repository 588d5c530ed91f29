import Events
import Testing

@testable import Flow

@Suite("A session tracker")
struct SessionTrackerTests {
    static func at(_ seq: Int64, epoch: Int32 = 1) -> Position { Position(epoch: epoch, seq: seq) }

    static func entry(
        _ session: Int64, _ n: Int64, _ seq: Int64, _ kind: UpstreamEntry.Kind = .commit, epoch: Int32 = 1, gap: UpstreamEntry.Gap? = nil,
        shed: Bool = false
    ) -> UpstreamEntry {
        UpstreamEntry(host: "relay", session: session, n: n, position: at(seq, epoch: epoch), kind: kind, gap: gap, shed: shed)
    }

    /// A tracker that follows session 5 from position 100.
    private func opened(watermark: Int64 = 100) -> SessionTracker {
        var tracker = SessionTracker(state: .init(watermark: Self.at(watermark)))
        #expect(tracker.received(Self.entry(5, 0, 100, .open)) == .opened(gap: nil))
        return tracker
    }

    @Test("applies dense entries, drops repeats, and raises the watermark at a barrier only")
    func dense() {
        var tracker = opened()
        #expect(tracker.received(Self.entry(5, 1, 110)) == .apply)
        #expect(tracker.received(Self.entry(5, 1, 110)) == .duplicate)
        #expect(tracker.state.watermark == Self.at(100))
        #expect(tracker.received(Self.entry(5, 2, 120, .barrier)) == .barrier(watermark: Self.at(120)))
        #expect(tracker.received(Self.entry(5, 0, 100, .open)) == .duplicate)
        #expect(tracker.state == .init(watermark: Self.at(120), sessions: [.init(number: 5, expectedN: 3)]))
    }

    @Test("reports a hole once, applies nothing behind it, and goes on where the missing entry comes after all")
    func hole() {
        var tracker = opened()
        #expect(tracker.received(Self.entry(5, 2, 120)) == .hole(session: 5, expected: 1, got: 2))
        #expect(tracker.received(Self.entry(5, 3, 130, .barrier)) == .stale)
        #expect(tracker.state.watermark == Self.at(100))
        #expect(tracker.received(Self.entry(5, 1, 110)) == .apply)
        #expect(tracker.received(Self.entry(5, 2, 120)) == .apply)
        #expect(tracker.received(Self.entry(5, 4, 140)) == .stale, "a second rewind of the same session is not asked for")
    }

    @Test("asks once where a session's opening was never seen, and follows it once it comes")
    func unopened() {
        var tracker = SessionTracker(state: .init(watermark: Self.at(100)))
        #expect(tracker.received(Self.entry(7, 3, 130)) == .unopened(session: 7))
        #expect(tracker.received(Self.entry(7, 4, 140)) == .stale)
        #expect(tracker.received(Self.entry(7, 0, 100, .open)) == .opened(gap: nil))
        #expect(tracker.received(Self.entry(7, 1, 110)) == .apply)
    }

    @Test(
        "follows a session only where it starts at or below the watermark, or a declared gap covers the difference",
        arguments: [
            (from: 90, gap: nil, accepted: true),
            (from: 100, gap: nil, accepted: true),
            (from: 101, gap: nil, accepted: false),
            (from: 150, gap: (100, 150), accepted: true),
            (from: 150, gap: (90, 160), accepted: true),
            (from: 150, gap: (101, 150), accepted: false),
            (from: 150, gap: (100, 149), accepted: false),
        ] as [(from: Int64, gap: (Int64, Int64)?, accepted: Bool)])
    func opening(from: Int64, gap: (Int64, Int64)?, accepted: Bool) {
        var tracker = SessionTracker(state: .init(watermark: Self.at(100)))
        let declared = gap.map { UpstreamEntry.Gap(after: Self.at($0.0), through: Self.at($0.1)) }
        let verdict = tracker.received(Self.entry(1, 0, from, .open, gap: declared))
        #expect(verdict == (accepted ? .opened(gap: declared) : .unopened(session: 1)))
        #expect(tracker.state.watermark == Self.at(accepted ? max(from, 100) : 100))
        #expect(tracker.received(Self.entry(1, 1, 200)) == (accepted ? .apply : .stale))
    }

    @Test("takes a new epoch with its declared gap, and an old epoch's barrier never turns the watermark back")
    func epochs() {
        var tracker = opened()
        let gap = UpstreamEntry.Gap(after: Self.at(100), through: Self.at(0, epoch: 2))
        #expect(tracker.received(Self.entry(6, 0, 0, .open, epoch: 2, gap: gap)) == .opened(gap: gap))
        #expect(tracker.received(Self.entry(5, 1, 900, .barrier)) == .barrier(watermark: Self.at(0, epoch: 2)))
        #expect(tracker.received(Self.entry(6, 1, 3, .barrier, epoch: 2)) == .barrier(watermark: Self.at(3, epoch: 2)))
    }

    @Test("declares what it lacks of an old numbering gone once the ledger knows the new one's beginning, and follows its sessions then")
    func renumbered() {
        var tracker = opened()
        let from = Self.at(7, epoch: 2)
        #expect(!tracker.accepts(from: from, gap: nil))
        let gap = tracker.renumbered(at: from)
        #expect(gap == UpstreamEntry.Gap(after: Self.at(100), through: from))
        #expect(tracker.received(Self.entry(6, 0, 7, .open, epoch: 2)) == .opened(gap: nil))
        let again = tracker.renumbered(at: Self.at(3, epoch: 2))
        #expect(again == nil && tracker.state.watermark == from)
    }

    @Test("ends a session in this shard at a shed barrier, asks for a rewind once, and does not raise the watermark")
    func shed() {
        var tracker = opened()
        #expect(tracker.received(Self.entry(5, 1, 500, .barrier, shed: true)) == .shed(session: 5))
        #expect(tracker.received(Self.entry(5, 2, 510)) == .duplicate)
        #expect(tracker.received(Self.entry(5, 3, 520, .barrier)) == .duplicate)
        #expect(tracker.state.watermark == Self.at(100))
    }

    @Test("drops what comes of an older session that it does not follow")
    func older() {
        var tracker = opened()
        #expect(tracker.received(Self.entry(4, 0, 50, .open)) == .stale)
        #expect(tracker.state.sessions.map(\.number) == [5])
    }

    @Test("keeps the newest sessions only, and goes on from its state after a take-over")
    func bounded() {
        var tracker = SessionTracker(state: .init(watermark: Self.at(100)), sessionsKept: 2)
        for session: Int64 in 1...4 { #expect(tracker.received(Self.entry(session, 0, 100, .open)) == .opened(gap: nil)) }
        #expect(tracker.state.sessions.map(\.number) == [3, 4])
        var restored = SessionTracker(state: tracker.state, sessionsKept: 2)
        #expect(restored.received(Self.entry(3, 1, 110)) == .apply)
        #expect(restored.received(Self.entry(2, 1, 110)) == .stale)
    }

    @Test("forgets sessions that were never given out, and then follows the next one")
    func forgets() {
        var tracker = SessionTracker(state: .init(watermark: Self.at(100), sessions: [.init(number: 5, expectedN: 3), .init(number: .max)]))
        #expect(tracker.received(Self.entry(6, 0, 100, .open)) == .stale)
        tracker.forget(above: 6)
        #expect(tracker.state.sessions.map(\.number) == [5])
        #expect(tracker.received(Self.entry(5, 3, 110)) == .apply)
        #expect(tracker.received(Self.entry(6, 0, 100, .open)) == .opened(gap: nil))
    }

    @Test("trusts no session whose numbering is not as ingesters write it")
    func malformed() {
        var first = SessionTracker(state: .init(watermark: Self.at(100)))
        #expect(first.received(Self.entry(1, 0, 100)) == .unopened(session: 1))
        var second = opened()
        #expect(second.received(Self.entry(5, 1, 100, .open)) == .hole(session: 5, expected: 1, got: 1))
        #expect(second.received(Self.entry(5, 2, 100)) == .stale)
    }
}
