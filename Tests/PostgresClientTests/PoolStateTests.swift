import Testing

@testable import PostgresClient

@Suite struct PoolStateTests {
    private typealias State = PoolState<String, Int>

    @Test func `places are granted up to the size, then callers wait in order`() {
        var state = State(size: 2)
        for _ in 0..<2 {
            guard case .place = state.acquire() else {
                Issue.record("a place was free")
                return
            }
        }
        #expect(state.acquire() == nil)
        #expect(state.wait(state.freshWaiterID(), 1) == nil)
        #expect(state.wait(state.freshWaiterID(), 2) == nil)
        let first = state.release("a", now: .now)
        #expect(first?.waiter == 1)
        let second = state.releasePlace()
        #expect(second?.waiter == 2)
        #expect(state.waiterCount == 0)
        #expect(state.busyCount == 2)
    }

    @Test func `a newcomer does not pass those that wait`() {
        var state = State(size: 1)
        _ = state.acquire()
        _ = state.wait(state.freshWaiterID(), 1)
        #expect(state.acquire() == nil)
    }

    @Test func `a waiter that was served can no longer give up`() {
        var state = State(size: 1)
        _ = state.acquire()
        let id = state.freshWaiterID()
        _ = state.wait(id, 7)
        #expect(state.release("a", now: .now)?.waiter == 7)
        #expect(state.abandon(id) == nil)
    }

    @Test func `closing hands out everybody and everything, once`() {
        var state = State(size: 2)
        _ = state.acquire()
        _ = state.acquire()
        #expect(state.release("idle", now: .now) == nil)
        let (waiters, connections) = state.close()
        #expect(waiters.isEmpty)
        #expect(connections == ["idle"])
        #expect(state.release("late", now: .now) == nil)
        #expect(state.busyCount == 0)
        guard case .closed = state.acquire() else {
            Issue.record("a closed pool grants nothing")
            return
        }
    }

    @Test func `the backoff grows, stays under its cap and never reaches zero`() {
        let backoff = PostgresBackoff()
        #expect(backoff.delay(failures: 1, draw: 0) == .milliseconds(50))
        #expect(backoff.delay(failures: 3, draw: 0) == .milliseconds(200))
        for failures in [1, 2, 10, 1000] {
            for draw in [0.0, 0.5, 0.999] {
                let delay = backoff.delay(failures: failures, draw: draw)
                #expect(delay > .milliseconds(20) && delay <= .seconds(5))
            }
        }
    }
}
