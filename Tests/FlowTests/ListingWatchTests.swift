import Testing

@testable import Flow

@Suite("A watch over a host's list")
struct ListingWatchTests {
    @Test("goes from page to page to the end")
    func goesOn() {
        var watch = ListingWatch(cursor: nil)
        for page in 1...10_000 { #expect(watch.received(next: "\(page)", isEmpty: false) == .next(after: .zero)) }
        #expect(watch.received(next: nil, isEmpty: false) == .end)
    }

    @Test("finds a circle of any length within three rounds of it", arguments: [1, 2, 3, 7, 64, 1_000])
    func circles(length: Int) {
        for start in [0, 1, 5, 300] {
            var watch = ListingWatch(cursor: nil)
            for page in 0..<start { #expect(watch.received(next: "start \(page)", isEmpty: false) == .next(after: .zero)) }
            let found = (0..<(3 * (length + start) + 3)).first { watch.received(next: "\($0 % length)", isEmpty: false) == .circle }
            #expect(found != nil, "behind \(start) pages")
            #expect((found ?? 0) >= length, "not before a cursor came again")
        }
    }

    @Test("the cursor that was sent is the shortest circle, also after a start in the middle")
    func sameCursor() {
        var watch = ListingWatch(cursor: "x")
        #expect(watch.received(next: "x", isEmpty: false) == .circle)
        var later = ListingWatch(cursor: nil)
        for page in 0..<100 { _ = later.received(next: "\(page)", isEmpty: false) }
        #expect(later.received(next: "99", isEmpty: false) == .circle)
    }

    @Test("cursors are told apart by their bytes")
    func bytes() {
        // The same character to Swift, as one scalar and as two.
        var watch = ListingWatch(cursor: "\u{e9}")
        #expect(watch.received(next: "e\u{301}", isEmpty: false) == .next(after: .zero))
    }

    @Test("empty pages are followed more and more slowly, up to five seconds; a full one ends that")
    func emptyPages() {
        var watch = ListingWatch(cursor: nil)
        #expect(watch.received(next: "1", isEmpty: true) == .next(after: .milliseconds(20)))
        #expect(watch.received(next: "2", isEmpty: true) == .next(after: .milliseconds(40)))
        for page in 3...100 { _ = watch.received(next: "\(page)", isEmpty: true) }
        #expect(watch.received(next: "101", isEmpty: true) == .next(after: .seconds(5)))
        #expect(watch.received(next: "102", isEmpty: false) == .next(after: .zero))
        #expect(watch.received(next: "103", isEmpty: true) == .next(after: .milliseconds(20)))
    }
}
