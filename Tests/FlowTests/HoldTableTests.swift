import Events
import Testing

@testable import Flow

@Suite("A hold table")
struct HoldTableTests {
    private func at(_ microseconds: Int64) -> WallTime { WallTime(microseconds: microseconds) }

    @Test("names a DID when its deadline passes or something of it moved, once")
    func due() {
        var table = HoldTable()
        table.hold("a", dueAt: at(10))
        table.hold("a", dueAt: at(5))
        table.hold("b", dueAt: at(20))
        #expect(table.nextDueAt() == at(5))
        #expect(table.due(at: at(4), limit: 9) == [])
        #expect(table.due(at: at(5), limit: 9) == [.init(did: "a", isForced: false)])
        #expect(table.due(at: at(5), limit: 9) == [])
        table.wake("b")
        table.wake("b")
        #expect(table.due(at: at(5), limit: 9) == [.init(did: "b", isForced: false)])
        table.settled("a", count: 1, dueAt: at(30))
        table.settled("b", count: 0, dueAt: at(0))
        #expect(table.count == 1 && table.holds("a") && !table.holds("b"))
        #expect(table.due(at: at(30), limit: 9).map(\.did) == ["a"])
    }

    @Test("forces a DID that is over its own bound")
    func perDID() {
        var table = HoldTable(limits: .init(perDID: 2, total: 100))
        for _ in 0..<2 { table.hold("a", dueAt: at(99)) }
        #expect(table.due(at: at(0), limit: 9) == [])
        table.hold("a", dueAt: at(99))
        #expect(table.due(at: at(0), limit: 9) == [.init(did: "a", isForced: true)])
    }

    @Test("forces a DID again while what was not looked at of it is still over its bound")
    func inParts() {
        var table = HoldTable(limits: .init(perDID: 2, total: 100))
        for _ in 0..<7 { table.hold("a", dueAt: at(99)) }
        for (left, isForced) in [(5, true), (3, true), (2, false)] {
            #expect(table.due(at: at(0), limit: 9) == [.init(did: "a", isForced: true)])
            table.settled("a", count: left, dueAt: at(99))
            #expect(table.due(at: at(0), limit: 0).isEmpty && table.count == left && isForced == (left > 2))
        }
        #expect(table.due(at: at(98), limit: 9) == [])
    }

    @Test("forces the DID that is held longest where all are too many")
    func total() {
        var table = HoldTable(limits: .init(perDID: 9, total: 3))
        for did in ["a", "b", "c"] { table.hold(did, dueAt: at(99)) }
        table.settled("a", count: 0, dueAt: at(0))
        table.hold("a", dueAt: at(99))
        table.hold("d", dueAt: at(99))
        #expect(table.due(at: at(0), limit: 9) == [.init(did: "b", isForced: true)], "a was resolved meanwhile and is younger now")
    }

    @Test("stays bounded while DIDs come and go")
    func churn() {
        var table = HoldTable(limits: .init(perDID: 4, total: 50))
        var random = SplitMix64(seed: 4)
        for step in 0..<20_000 {
            table.hold("did\(random.below(200))", dueAt: at(Int64(step + random.below(50))))
            for due in table.due(at: at(Int64(step)), limit: 5) { table.settled(due.did, count: 0, dueAt: at(0)) }
            #expect(table.count <= 50 + 5)
        }
    }

    @Test("puts commits into the order of revs at the places of commits, and leaves the rest where it came")
    func order() {
        let arrived = ["c5", "account", "c3", "c4", "identity"]
        let sorted = HeldOrder.sorted(arrived) { $0.hasPrefix("c") ? $0 : nil }
        #expect(sorted == ["c3", "account", "c4", "c5", "identity"])
    }
}
