import Events
import Flow
import Testing

@Suite("Which statement about a label stands")
struct LabelStandingTests {
    private func said(
        _ seq: Int64, epoch: Int32 = 0, place: Int = 0, neg: Bool = false, at second: Int64 = 0, exp: String = "", host: String = "a",
        _ signature: LabelStanding.Signature = .valid
    ) -> LabelStanding {
        LabelStanding(
            neg: neg, cts: "second \(second)", createdAt: WallTime(microseconds: second), exp: exp, signature: signature, host: host,
            position: Position(epoch: epoch, seq: seq), place: place)
    }

    @Test("of one labeler the later one by its number wins, whatever the times say")
    func numbers() {
        let stands = said(10, at: 5)
        #expect(stands.verdict(on: said(11, neg: true, at: 4)) == .applies)
        #expect(stands.verdict(on: said(9, neg: true, at: 6)) == .stale)
        #expect(stands.verdict(on: said(10, place: 1, neg: true, at: 5)) == .applies)
        #expect(said(10, place: 1).verdict(on: said(10, place: 0, neg: true)) == .stale)
    }

    @Test("a numbering that starts anew is later, however low its numbers are")
    func epochs() {
        #expect(said(1_000).verdict(on: said(1, epoch: 1, neg: true)) == .applies)
        #expect(said(1, epoch: 1).verdict(on: said(1_001, neg: true)) == .stale)
    }

    @Test("what says the same is a duplicate, earlier or later, from the same labeler or another")
    func duplicates() {
        let stands = said(10, at: 5, exp: "x")
        for (host, seq, epoch) in [("a", 9, 0), ("a", 10, 0), ("a", 11, 0), ("a", 1, 1), ("b", 1, 0)] as [(String, Int64, Int32)] {
            #expect(stands.verdict(on: said(seq, epoch: epoch, at: 5, exp: "x", host: host)) == .duplicate)
        }
        for other in [said(11, neg: true, at: 5, exp: "x"), said(11, at: 6, exp: "x"), said(11, at: 5), said(11, at: 5, exp: "x", .unsigned)] {
            #expect(stands.verdict(on: other) == .applies)
        }
    }

    @Test("of two upstreams that bring one source's labels the time decides, and of one time the withdrawal, in whichever order they come")
    func upstreams() {
        let (label, withdrawal, later) = (said(10, at: 5), said(3, neg: true, at: 5, host: "b"), said(99, at: 6, host: "b"))
        #expect(label.verdict(on: withdrawal) == .applies && withdrawal.verdict(on: label) == .stale)
        #expect(label.verdict(on: later) == .applies && later.verdict(on: label) == .stale)
        #expect(withdrawal.verdict(on: later) == .applies)
    }
}
