import Events
import Flow
import Testing

@testable import Work

@Suite("Turns of snapshots")
struct SnapshotTurnsTests {
    private let clock = TestClock()

    private func turns(most: Int) -> SnapshotTurns { SnapshotTurns(SnapshotPace(limits: .init(most: most)), clock: clock.clock) }

    @Test("shards get their turns in the order in which they asked, and asking again keeps the place")
    func order() {
        let turns = turns(most: 1)
        #expect(turns.ask(3) != nil)
        for shard in [5, 4, 5] { #expect(turns.ask(shard) == nil) }
        turns.done(3, bytes: 10, took: .milliseconds(1))
        #expect(turns.ask(4) == nil)
        #expect(turns.ask(5) != nil)
        turns.done(5, bytes: 10, took: .milliseconds(1))
        #expect(turns.ask(4) != nil)
    }

    @Test("a shard that leaves gives its turn to the next one, and whose turn it is hears it")
    func leaving() async {
        let turns = turns(most: 1)
        let bell = Bell()
        turns.join(7, bell)
        #expect(turns.ask(1) != nil)
        #expect(turns.ask(7) == nil)
        turns.leave(1)
        await bell.wait(atMost: .seconds(60))
        #expect(turns.ask(7) != nil)
        turns.leave(7)
        #expect(turns.ask(2) != nil, "nothing is lost of a turn that was not used")
    }

    @Test("late live batches leave one turn at a time")
    func late() {
        let turns = turns(most: 4)
        turns.live(delay: .seconds(1))
        #expect(turns.ask(1) != nil)
        #expect(turns.ask(2) == nil)
        #expect(turns.fetches(of: 64) < 64)
    }
}
