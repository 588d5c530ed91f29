import Events
import Testing

@testable import Flow

/// The contract of a host budget for one host, told from all that happened to it. Nothing is ever forgotten.
private struct HostModel {
    struct Given {
        var at: Int
        var failuresBefore: Int
    }

    let limits: HostBudget.Limits
    var starts: [Int] = []
    var underWay: [Given] = []
    /// Failures that counted, and since when all went well after the last of them.
    var failures = 0
    var failuresInARow = 0
    var wellSince: Int?
    var onTrial = false
    var parkedUntil: Duration = .zero

    /// Credit for starts in milliseconds: it grows with time up to a full bucket, and each start costs an interval.
    func credit(at now: Int) -> Int {
        let interval = Int(limits.startInterval.milliseconds)
        let full = interval * limits.startsAtOnce
        var (credit, last) = (full, 0)
        for start in starts {
            credit = min(full, credit + start - last) - interval
            last = start
        }
        return min(full, credit + now - last)
    }

    enum Expected: Equatable { case go, full, wait(Int), parked }

    func expected(at now: Int) -> Expected {
        if .milliseconds(now) < parkedUntil { return .parked }
        if underWay.count >= limits.requestsAtOnce { return .full }
        if onTrial, underWay.contains(where: { $0.failuresBefore == failures }) { return .full }
        let missing = Int(limits.startInterval.milliseconds) - credit(at: now)
        return missing > 0 ? .wait(now + missing) : .go
    }
}

@Suite("A budget for hosts, in random histories")
struct HostBudgetModelTests {
    private enum Event { case wait(Int), admit(Int), succeed(Int), fail(Int, retryAfter: Int?), abandon(Int) }

    private static func events(_ random: inout SplitMix64, hosts: Int) -> [Event] {
        let bias = random.number(1...6)
        return (0..<150).map { _ -> Event in
            switch random.below(10) {
            case 0, 1: return .wait(random.pick([1, 50, 700, 3_000, 61_000]))
            case 2...5: return .admit(random.below(hosts))
            case 6: return .abandon(random.below(8))
            default:
                guard random.below(8) < bias else { return .succeed(random.below(8)) }
                return .fail(random.below(8), retryAfter: random.once(in: 3) ? random.number(0...1_000) : nil)
            }
        }
    }

    @Test("answers what its rules say after every history, and what it forgets makes no difference")
    func histories() {
        Histories.check("host budget", 4_000) { random in
            let limits = HostBudget.Limits(
                requestsAtOnce: random.number(1...4), startInterval: .milliseconds(random.pick([0, 100, 1_000])), startsAtOnce: random.number(1...4),
                retry: .init(base: .milliseconds(500), cap: .seconds(20)))
            return ((limits: limits, seed: random.next()), Self.events(&random, hosts: random.number(1...12)))
        } run: { setting, events in
            var budget = HostBudget(limits: setting.limits, sweepAtLeast: 1)
            var generator = SplitMix64(seed: setting.seed)
            var models: [Int: HostModel] = [:]
            var permits: [(permit: HostBudget.Permit, host: Int, given: HostModel.Given)] = []
            var now = 0
            for event in events {
                let time = MonotonicTime(sinceStart: .milliseconds(now))
                switch event {
                case .wait(let milliseconds): now += milliseconds
                case .admit(let host):
                    var model = models[host] ?? HostModel(limits: setting.limits)
                    let expected = model.expected(at: now)
                    switch (budget.admit("h\(host)", at: time), expected) {
                    case (.go(let permit), .go):
                        let given = HostModel.Given(at: now, failuresBefore: model.failures)
                        model.starts.append(now)
                        model.underWay.append(given)
                        permits.append((permit, host, given))
                    case (.full, .full): break
                    case (.wait(let until), .wait(let wanted)) where until.sinceStart == .milliseconds(wanted): break
                    case (.parked(let until, _), .parked) where until.sinceStart == model.parkedUntil: break
                    case (let answer, _): return "\(answer) instead of \(expected) at \(now)"
                    }
                    models[host] = model
                case .succeed(let index), .fail(let index, _), .abandon(let index):
                    guard !permits.isEmpty else { continue }
                    let (permit, host, given) = permits.remove(at: index % permits.count)
                    guard var model = models[host],
                        let place = model.underWay.firstIndex(where: { $0.at == given.at && $0.failuresBefore == given.failuresBefore })
                    else { return "a permit of nobody" }
                    model.underWay.remove(at: place)
                    if let problem = Self.report(event, permit, given, now, &budget, &model, &generator) { return problem }
                    models[host] = model
                }
            }
            return nil
        }
    }

    private static func report(
        _ event: Event, _ permit: HostBudget.Permit, _ given: HostModel.Given, _ now: Int, _ budget: inout HostBudget, _ model: inout HostModel,
        _ generator: inout SplitMix64
    ) -> String? {
        let time = MonotonicTime(sinceStart: .milliseconds(now))
        let isCurrent = given.failuresBefore == model.failures
        switch event {
        case .succeed:
            budget.succeeded(permit, at: time)
            guard isCurrent else { return nil }
            model.onTrial = false
            if model.wellSince == nil { model.wellSince = now }
        case .fail(_, let retryAfter):
            let until = budget.failed(permit, at: time, retryAfter: retryAfter.map { .seconds($0) }, using: &generator).sinceStart
            let asked = retryAfter.map { Duration.seconds(min($0, 900)) } ?? .zero
            guard isCurrent else {
                model.parkedUntil = max(model.parkedUntil, retryAfter == nil ? .zero : .milliseconds(now) + asked)
                return until == model.parkedUntil ? nil : "an earlier request's failure parks until \(until) instead of \(model.parkedUntil)"
            }
            if let since = model.wellSince, now - since >= 60_000 { model.failuresInARow = 0 }
            let full = min(Duration.milliseconds(500) * (1 << min(model.failuresInARow, 20)), .seconds(20))
            let delay = until - .milliseconds(now)
            guard delay >= max(full / 2 - .nanoseconds(1), asked), delay <= max(full, asked) else { return "parks for \(delay) of \(full)" }
            model.failures += 1
            model.failuresInARow += 1
            model.wellSince = nil
            model.onTrial = true
            model.parkedUntil = until
        default: budget.abandoned(permit)
        }
        return nil
    }

    @Test("keeps its bound whatever happens, and forgets no host that is busy, nor a parked one while a healthy idle one is there")
    func bounds() {
        Histories.check("host budget's bound", 3_000) { random in
            let limits = HostBudget.Limits(
                requestsAtOnce: random.number(1...2), startInterval: .seconds(1_000), startsAtOnce: 50, hosts: random.number(1...6))
            return (limits, Self.events(&random, hosts: 12))
        } run: { limits, events in
            var budget = HostBudget(limits: limits)
            var generator = SplitMix64(seed: 5)
            var permits: [HostBudget.Permit] = []
            var now = MonotonicTime.zero
            for event in events {
                let busy = Set(permits.map(\.host))
                let before = budget.names
                switch event {
                case .wait(let milliseconds): now = now + .milliseconds(milliseconds)
                case .admit(let host): if case .go(let permit) = budget.admit("h\(host)", at: now) { permits.append(permit) }
                case .succeed(let index): if !permits.isEmpty { budget.succeeded(permits.remove(at: index % permits.count), at: now) }
                case .fail(let index, let retryAfter):
                    guard !permits.isEmpty else { continue }
                    budget.failed(permits.remove(at: index % permits.count), at: now, retryAfter: retryAfter.map { .seconds($0) }, using: &generator)
                case .abandon(let index): if !permits.isEmpty { budget.abandoned(permits.remove(at: index % permits.count)) }
                }
                guard budget.count <= limits.hosts else { return "\(budget.count) hosts" }
                let gone = before.filter { budget.names[$0.key] == nil }
                guard busy.isSubset(of: budget.names.keys) else { return "a busy host of \(busy) is forgotten: \(gone.keys)" }
                let kept = budget.names.filter { before[$0.key] == false && !busy.contains($0.key) }
                if gone.values.contains(true), !kept.isEmpty { return "\(gone) went, and \(kept) stayed" }
            }
            return nil
        }
    }
}

extension HostBudget {
    /// The hosts that are remembered, and whether each is failing.
    fileprivate var names: [String: Bool] { remembered.mapValues(\.isFailing) }
}
