import Events
import Testing

@testable import Flow

@Suite("Places for fetches")
struct FetchSlotsTests {
    private func seconds(_ count: Int) -> MonotonicTime { MonotonicTime(sinceStart: .seconds(count)) }

    private func slots(atOnce: Int = 8, perHost: Int = 4, interval: Duration = .zero, startsAtOnce: Int = 1) -> FetchSlots {
        FetchSlots(
            limits: .init(atOnce: atOnce, patience: .seconds(20)),
            budget: HostBudget(limits: .init(requestsAtOnce: perHost, startInterval: interval, startsAtOnce: startsAtOnce)))
    }

    private func permit(_ round: FetchSlots.Round, _ id: Int) throws -> HostBudget.Permit {
        let verdict = round.verdicts[id]
        guard case .go(let permit) = verdict else { throw NoPermit(verdict: verdict) }
        return permit
    }

    private struct NoPermit: Error { var verdict: FetchSlots.Verdict? }

    @Test("whoever waits behind a busy host is passed, in the order of coming")
    func passing() throws {
        var slots = slots(atOnce: 3, perHost: 1)
        for (id, host) in [(1, "a"), (2, "a"), (3, "b"), (4, "c"), (5, "d")] { slots.enter(id, host: host, at: seconds(1)) }
        let round = slots.step(at: seconds(1))
        #expect(round.verdicts.keys.sorted() == [1, 3, 4])
        #expect(slots.waitingCount == 2 && slots.underWay == 3)
        #expect(slots.step(at: seconds(2)).verdicts.isEmpty)
        _ = slots.succeeded(try permit(round, 3), at: seconds(2))
        #expect(slots.step(at: seconds(2)).verdicts.keys.sorted() == [5])
        slots.abandoned(try permit(round, 1))
        #expect(slots.step(at: seconds(2)).verdicts.keys.sorted() == [2])
    }

    @Test("says when to look again: at the next start that a host allows, or when somebody's patience ends")
    func wake() throws {
        var slots = slots(interval: .seconds(5))
        slots.enter(1, host: "a", at: seconds(1))
        slots.enter(2, host: "a", at: seconds(1))
        #expect(slots.step(at: seconds(1)).wake == seconds(6))
        #expect(slots.step(at: seconds(6)).verdicts.keys.sorted() == [2])
        #expect(slots.step(at: seconds(6)).wake == nil)
        var full = self.slots(perHost: 1)
        full.enter(1, host: "a", at: seconds(1))
        full.enter(2, host: "a", at: seconds(1))
        #expect(full.step(at: seconds(1)).wake == seconds(21))
        #expect(full.step(at: seconds(21)).verdicts == [2: .crowded])
        full.enter(3, host: "a", at: seconds(30), atMost: .seconds(1))
        full.enter(4, host: "a", at: seconds(30), atMost: .seconds(100))
        #expect(full.step(at: seconds(30)).wake == seconds(31))
        #expect(full.step(at: seconds(31)).verdicts == [3: .crowded])
        #expect(full.step(at: seconds(50)).verdicts == [4: .crowded])
        #expect(full.waitingCount == 0)
    }

    @Test("a host that is left alone sends away whoever waits for it")
    func parked() throws {
        var random = SplitMix64(seed: 3)
        var slots = slots()
        slots.enter(1, host: "a", at: seconds(1))
        let permit = try permit(slots.step(at: seconds(1)), 1)
        let until = slots.failed(permit, at: seconds(1), retryAfter: .seconds(60), isAsked: true, using: &random)
        #expect(until == seconds(61) && slots.underWay == 0)
        slots.enter(2, host: "a", at: seconds(2))
        #expect(slots.step(at: seconds(2)).verdicts == [2: .parked(until: until, isAsked: true)])
        slots.enter(3, host: "a", at: seconds(61))
        let third = try self.permit(slots.step(at: seconds(61)), 3)
        let isNews = slots.succeeded(third, at: seconds(61))
        #expect(isNews)
        #expect(slots.budget.parkedCount(at: seconds(61)) == 0)
    }

    @Test("one that does not wait any longer gets no place")
    func leaves() {
        var slots = slots(atOnce: 1)
        slots.enter(1, host: "a", at: seconds(1))
        slots.enter(2, host: "a", at: seconds(1))
        slots.leave(1)
        #expect(slots.step(at: seconds(1)).verdicts.keys.sorted() == [2])
    }
}
