import Events
import TestSupport
import Testing

@testable import Flow

/// A key of parts that a joined text could not hold apart.
struct PartedID: Hashable, Comparable {
    var scope: ExactText
    var name: ExactText

    init(_ scope: String, _ name: String) {
        self.scope = ExactText(scope)
        self.name = ExactText(name)
    }

    static func < (a: Self, b: Self) -> Bool { (a.scope, a.name) < (b.scope, b.name) }
}

struct Change: ReplayEvent, Hashable {
    var id: PartedID
    var sequence: Int64
    var content: Int

    func outranks(_ other: Change) -> Bool { content > other.content }

    /// Ids with every separator that a joined key might have had, characters beyond the first plane, and two spellings of one character.
    static let ids: [PartedID] = [
        PartedID("a", "b:c"), PartedID("a:b", "c"), PartedID("a/b", "c"), PartedID("a", "b/c"), PartedID("", "a:b:c"), PartedID("a:b:c", ""),
        PartedID("a|b", "\u{0}"), PartedID("a\u{0}b", ""), PartedID("\u{1F468}\u{200D}\u{1F469}", "\u{10FFFF}"),
        PartedID("\u{1F468}", "\u{200D}\u{1F469}"),
        PartedID("\u{E000}", "\u{FFFD}"), PartedID("\u{FFFD}", "\u{E000}"), PartedID("\u{E9}", "x"), PartedID("e\u{301}", "x"),
        PartedID("\u{1F1E6}", "\u{1F1E7}"),
        PartedID("\u{1F1E6}\u{1F1E7}", ""), PartedID("\n", "\r\n"), PartedID("\n\r", "\n"), PartedID("65533", "a"), PartedID("\u{FFFF}", "a"),
    ]

    static func random(_ count: Int, _ generator: inout SeededGenerator) -> [Change] {
        (0..<count).map { _ in
            let sequence: Int64 =
                Bool.random(using: &generator) ? .random(in: 0...6, using: &generator) : .max - .random(in: 0...3, using: &generator)
            return Change(id: ids.randomElement(using: &generator) ?? ids[0], sequence: sequence, content: 0)
        }
    }
}

@Suite("Replay and dedup")
struct ReplayTests {
    @Test("what is left is the highest sequence of each id, by sequence and id, for every order and any repeats")
    func latestOfEach() {
        let seed = TestSeed("replay")
        var generator = seed.generator()
        for round in 0..<400 {
            let events = Change.random(Int.random(in: 0...60, using: &generator), &generator)
            // Said anew, without a dictionary: of each id the one that no other passes.
            let expected = Set(events.filter { event in !events.contains { $0.id == event.id && $0.sequence > event.sequence } })
                .sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
            let repeated = events + events.filter { _ in Bool.random(using: &generator) }
            #expect(Replay.replay(repeated.shuffled(using: &generator)) == expected, "round \(round), \(seed)")
            #expect(Replay.replay(expected) == expected)
        }
    }

    @Test("copies that differ are told, and which one stays does not hang on the order")
    func conflicts() {
        var generator = TestSeed("replay conflicts").generator()
        for _ in 0..<200 {
            var events = Change.random(30, &generator)
            for index in events.indices { events[index].content = Int.random(in: 0...2, using: &generator) }
            var first = Replay<Change>()
            for event in events { first.add(event) }
            var second = Replay<Change>()
            for event in (events + events).shuffled(using: &generator) { second.add(event) }
            #expect(first.events == second.events)
            #expect(first.conflicts == second.conflicts)
            for event in first.events {
                let copies = Set(events.filter { $0.key == event.key }.map(\.content))
                #expect(first.conflicts.contains(event.id) == (copies.count > 1))
                #expect(event.content == copies.max())
            }
        }
    }

    @Test("several streams merge into each event once, three sequences of one id as three, whichever stream brings them")
    func merge() {
        let seed = TestSeed("merge")
        var generator = seed.generator()
        for _ in 0..<300 {
            let events = Change.random(Int.random(in: 0...60, using: &generator), &generator)
            let expected = Set(events).sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
            var streams = [[Change]](repeating: [], count: 4)
            for event in events {
                for index in streams.indices where index == 0 || Bool.random(using: &generator) { streams[index].append(event) }
            }
            for index in streams.indices { streams[index].shuffle(using: &generator) }
            streams.shuffle(using: &generator)
            #expect(Dedup.merge(streams) == expected, "\(seed)")
            #expect(Replay.replay(streams.joined()) == Replay.replay(expected))

            var dedup = Dedup<PartedID>()
            var fresh: [Change] = []
            for event in streams.joined() where dedup.isNew(event.id, event.sequence) { fresh.append(event) }
            #expect(fresh.count == expected.count)
            #expect(Set(fresh) == Set(expected))
        }
    }

    @Test("keys of different parts are never one key, also where joined or normalized they would be")
    func keys() {
        #expect(Set(Change.ids).count == Change.ids.count)
        #expect("\u{E9}" == "e\u{301}", "Swift's own texts hold these for equal")
        #expect(ExactText("\u{E9}") != ExactText("e\u{301}"))
        let ordered = Change.ids.sorted()
        for (a, b) in zip(ordered, ordered.dropFirst()) {
            #expect(a < b)
            #expect(!(b < a))
        }
        // By code points, as UTF-8 has them: UTF-16 would have the emoji, a surrogate pair, in front.
        #expect(ExactText("\u{FFFD}") < ExactText("\u{1F600}"))
        let events = Change.ids.map { Change(id: $0, sequence: .max, content: 0) }
        #expect(Replay.replay(events).count == events.count)
    }

    @Test("a stream without holes costs one range an id")
    func ranges() {
        var generator = TestSeed("ranges").generator()
        var dedup = Dedup<Int>()
        var fresh = 0
        for sequence in (1...500).shuffled(using: &generator) where dedup.isNew(1, Int64(sequence)) { fresh += 1 }
        for sequence in (0...2).shuffled(using: &generator) where dedup.isNew(2, .max - Int64(sequence)) { fresh += 1 }
        #expect(fresh == 503)
        #expect(dedup.rangeCount == 2)
        let repeats = [dedup.isNew(1, 500), dedup.isNew(2, .max), dedup.isNew(2, .max - 3), dedup.isNew(1, 501)]
        #expect(repeats == [false, false, true, true])
    }
}
