import Events
import Testing

@testable import Flow

@Suite("A budget for strangers' hosts")
struct HostBudgetTests {
    private typealias Permit = HostBudget.Permit
    private var random = SplitMix64(seed: 7)

    private func seconds(_ count: Double) -> MonotonicTime { MonotonicTime(sinceStart: .seconds(count)) }

    private func go(_ budget: inout HostBudget, _ host: String, at now: MonotonicTime) throws -> HostBudget.Permit {
        let answer = budget.admit(host, at: now)
        guard case .go(let permit) = answer else { throw NotAdmitted(answer: answer) }
        return permit
    }

    private struct NotAdmitted: Error { var answer: HostBudget.Answer }

    @Test("admits as many at once as it may, of each host by itself, and another when one comes back")
    func requestsAtOnce() throws {
        var budget = HostBudget(limits: .init(requestsAtOnce: 2, startInterval: .zero))
        let first = try go(&budget, "a", at: seconds(1))
        _ = try go(&budget, "a", at: seconds(1))
        #expect(budget.admit("a", at: seconds(1)) == .full)
        _ = try go(&budget, "b", at: seconds(1))
        budget.abandoned(first)
        _ = try go(&budget, "a", at: seconds(1))
    }

    @Test("lets some starts follow each other, then one an interval")
    func starts() throws {
        var budget = HostBudget(limits: .init(requestsAtOnce: 100, startInterval: .seconds(1), startsAtOnce: 3))
        for _ in 0..<3 { _ = try go(&budget, "a", at: seconds(10)) }
        #expect(budget.admit("a", at: seconds(10)) == .wait(until: seconds(11)))
        _ = try go(&budget, "a", at: seconds(11))
        #expect(budget.admit("a", at: seconds(11.5)) == .wait(until: seconds(12)))
        for _ in 0..<3 { _ = try go(&budget, "a", at: seconds(20)) }
        #expect(budget.admit("a", at: seconds(20)) == .wait(until: seconds(21)))
    }

    @Test("a failure parks the host, then one request at a time is tried until one succeeds")
    mutating func parks() throws {
        var budget = HostBudget(limits: .init(requestsAtOnce: 3, startInterval: .zero))
        let permits = try (0..<3).map { _ in try go(&budget, "a", at: seconds(1)) }
        let until = budget.failed(permits[0], at: seconds(1), using: &random)
        #expect(until > seconds(3) && until <= seconds(6))
        #expect(budget.admit("a", at: seconds(2)) == .parked(until: until, isAsked: false))
        // What was under way and fails as well is the same failure.
        #expect(budget.failed(permits[1], at: seconds(2), using: &random) == until)
        // What was under way and succeeds says nothing of now, and keeps nobody from trying.
        let probe = try go(&budget, "a", at: until)
        budget.succeeded(permits[2], at: until)
        #expect(budget.admit("a", at: until) == .full)
        budget.succeeded(probe, at: until)
        _ = try go(&budget, "a", at: until)
        _ = try go(&budget, "a", at: until)
        #expect(budget.parkedCount(at: until) == 0)
    }

    @Test("stays away as long as a host asks, up to 15 minutes", arguments: [(120.0, 120.0), (86_400, 900)])
    func retryAfter(asked: Double, honoured: Double) throws {
        var random = SplitMix64(seed: 1)
        var budget = HostBudget(limits: .init())
        let permit = try go(&budget, "a", at: seconds(1))
        let late = try go(&budget, "a", at: seconds(1))
        #expect(budget.failed(permit, at: seconds(1), retryAfter: .seconds(asked), using: &random) == seconds(1 + honoured))
        // A later answer to an earlier request may ask for more.
        #expect(budget.failed(late, at: seconds(2), retryAfter: .seconds(asked), using: &random) == seconds(2 + honoured))
    }

    @Test("at its bound the least recently used healthy host goes first, and one with a request under way never")
    mutating func bound() throws {
        var budget = HostBudget(limits: .init(requestsAtOnce: 1, startInterval: .seconds(1000), startsAtOnce: 5, hosts: 4))
        let busy = try go(&budget, "busy", at: seconds(1))
        budget.failed(try go(&budget, "parked", at: seconds(1)), at: seconds(1), retryAfter: .seconds(900), using: &random)
        for name in ["old", "young"] { budget.succeeded(try go(&budget, name, at: seconds(1)), at: seconds(1)) }
        budget.abandoned(try go(&budget, "new", at: seconds(2)))
        #expect(budget.count == 4)
        #expect(budget.admit("busy", at: seconds(2)) == .full)
        #expect(budget.admit("parked", at: seconds(2)) == .parked(until: seconds(901), isAsked: false))
        // Where no healthy one is left, the parked one goes.
        for name in ["b", "c", "d"] { _ = try go(&budget, name, at: seconds(2)) }
        #expect(budget.admit("e", at: seconds(2)) == .full)
        #expect(budget.count == 4)
        budget.abandoned(busy)
        _ = try go(&budget, "e", at: seconds(2))
    }

    @Test("hosts about which nothing is left to know are forgotten")
    func forgets() throws {
        var budget = HostBudget()
        for index in 0..<5_000 {
            budget.succeeded(try go(&budget, "host\(index)", at: seconds(Double(index))), at: seconds(Double(index)))
        }
        #expect(budget.count <= 128)
    }

    @Test("what is kept of a parked host is small")
    mutating func memory() throws {
        // With the name (in the dictionary 16 bytes, and an allocation above 15 characters) and a dictionary at its emptiest, a quarter of a kilobyte.
        #expect(MemoryLayout<HostBudget.Host>.stride <= 96)
        #expect(MemoryLayout<(String, HostBudget.Host)>.stride * 2 <= 256)
        var budget = HostBudget()
        for index in 0..<1_000 { budget.failed(try go(&budget, "host\(index)", at: seconds(1)), at: seconds(1), using: &random) }
        #expect(budget.parkedCount(at: seconds(1)) == 1_000)
    }
}
