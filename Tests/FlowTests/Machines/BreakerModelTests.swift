import Events
import Testing

@testable import Flow

/// DELIVERY, "Circuit breaker", said once more: from all that happened since the state last changed, instead of counters.
private struct BreakerModel {
    enum Mode: Equatable { case closed, open, halfOpen }

    let threshold: Int
    let recovery: Duration
    var mode = Mode.closed
    var openedAt = MonotonicTime.zero
    /// Results that counted in this state, true a success.
    var results: [Bool] = []
    var change = 0
    /// The change in which each permit was given, until it comes back.
    var permits: [Int] = []

    mutating func admit(_ now: MonotonicTime) -> Bool {
        if mode == .open, now - openedAt >= recovery { become(.halfOpen, now) }
        let isProbing = mode == .halfOpen && permits.contains(change)
        guard mode != .open, !isProbing else { return false }
        permits.append(change)
        return true
    }

    mutating func returned(_ index: Int, _ success: Bool?, _ now: MonotonicTime) {
        let given = permits.remove(at: index)
        guard given == change, let success else { return }
        results.append(success)
        switch mode {
        case .closed: if failures >= threshold { become(.open, now) }
        case .open: break
        case .halfOpen:
            if !success { become(.open, now) }
            if results.filter({ $0 }).count == 3, mode == .halfOpen { become(.closed, now) }
        }
    }

    private mutating func become(_ new: Mode, _ now: MonotonicTime) {
        mode = new
        if new == .open { openedAt = now }
        results = []
        change += 1
    }

    private var failures: Int {
        var count = 0
        for success in results { count = success ? max(0, count - 1) : count + 1 }
        return count
    }

    var state: CircuitBreaker.State {
        switch mode {
        case .closed: .closed(failures: failures)
        case .open: .open(until: openedAt + recovery)
        case .halfOpen: .halfOpen(successes: results.filter { $0 }.count)
        }
    }
}

@Suite("A circuit breaker, in random histories")
struct BreakerModelTests {
    private enum Event { case wait(Int), admit, succeed(Int), fail(Int), abandon(Int) }

    @Test("is in the state that its rules say after every step, and admits what they admit")
    func histories() {
        Histories.check("circuit breaker", 6_000) { random in
            let setting = (threshold: random.number(1...5), recovery: random.number(1...8))
            let bias = random.number(2...8)
            let events = (0..<120).map { _ -> Event in
                switch random.below(12) {
                case 0...1: return .wait(random.number(0...5))
                case 2...6: return .admit
                case 7: return .abandon(random.below(8))
                default: return random.below(10) < bias ? .fail(random.below(8)) : .succeed(random.below(8))
                }
            }
            return (setting, events)
        } run: { setting, events in
            var breaker = CircuitBreaker(failureThreshold: setting.threshold, recoveryTime: .seconds(setting.recovery))
            var model = BreakerModel(threshold: setting.threshold, recovery: .seconds(setting.recovery))
            var permits: [CircuitBreaker.Permit] = []
            var now = MonotonicTime.zero
            for event in events {
                switch event {
                case .wait(let seconds): now = now + .seconds(seconds)
                case .admit:
                    let permit = breaker.admit(at: now)
                    if let permit { permits.append(permit) }
                    guard (permit != nil) == model.admit(now) else { return "admitted \(permit != nil) in \(model.state) at \(now.sinceStart)" }
                case .succeed(let index), .fail(let index), .abandon(let index):
                    guard !permits.isEmpty else { continue }
                    let place = index % permits.count
                    let permit = permits.remove(at: place)
                    switch event {
                    case .succeed: breaker.succeeded(permit)
                    case .fail: breaker.failed(permit, at: now)
                    default: breaker.abandoned(permit)
                    }
                    let success: Bool? = if case .succeed = event { true } else if case .fail = event { false } else { nil }
                    model.returned(place, success, now)
                }
                guard breaker.state == model.state else { return "\(breaker.state) instead of \(model.state) at \(now.sinceStart)" }
                let wait = model.mode == .open && now < model.openedAt + model.recovery ? model.openedAt + model.recovery - now : nil
                guard breaker.waitTime(at: now) == wait else { return "waits \(String(describing: breaker.waitTime(at: now)))" }
            }
            return nil
        }
    }
}
