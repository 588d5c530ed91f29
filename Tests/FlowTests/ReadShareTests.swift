import Testing

@testable import Flow

@Suite("The share of a read")
struct ReadShareTests {
    private func share(bytes: Int, most: Int = 256) -> ReadShare<String> {
        ReadShare(count: AdaptiveCount(targetBytes: bytes, maxCount: .max, expectedEntryBytes: 1_000), mostOfOne: most)
    }

    @Test("streams share the room evenly, get one entry at least, and no more than is allowed of one")
    func even() {
        let share = share(bytes: 1_000_000)
        #expect(share.ask(of: 10) == 100)
        #expect(share.ask(of: 5_000) == 1)
        #expect(share.ask(of: 1) == 256)
        #expect(share.ask(of: 0) == 256)
    }

    @Test("those that had all that was asked for are full until the next read")
    func full() {
        var share = share(bytes: 1_000_000)
        share.read(["a": (100, 100_000), "b": (99, 99_000)], asked: 100)
        #expect(share.full == ["a"])
        share.read(["a": (200, 200_000)], asked: 256)
        #expect(share.full.isEmpty)
        share.read(["b": (256, 256_000)], asked: 256)
        share.failed()
        #expect(share.full.isEmpty)
    }

    @Test("larger entries make it ask for fewer at once")
    func size() {
        var share = share(bytes: 1_000_000)
        share.read(["a": (10, 50_000), "b": (10, 50_000)], asked: 100)
        #expect(share.ask(of: 10) == 20)
    }
}
