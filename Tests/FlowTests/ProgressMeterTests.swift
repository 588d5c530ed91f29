import Events
import Testing

@testable import Flow

@Suite("A progress meter")
struct ProgressMeterTests {
    private func at(_ seconds: Int) -> MonotonicTime { MonotonicTime(sinceStart: .seconds(seconds)) }

    @Test("measures over the last half minute")
    func rates() {
        var meter = ProgressMeter()
        #expect(meter.took(.init(items: 5), at: at(0)) == .init())
        var rates = ProgressMeter.Rates()
        for second in 1...20 {
            let done = Int64(second) * 10
            rates = meter.took(.init(items: 5 + done, records: done * 100, bytes: done * 5_000), at: at(second))
        }
        #expect(rates == .init(items: 10, records: 1_000, bytes: 50_000))
        for second in 21...80 { rates = meter.took(.init(items: 205, records: 20_000, bytes: 1_000_000), at: at(second)) }
        #expect(rates == .init())
    }

    @Test("totals that fall are a new count")
    func reset() {
        var meter = ProgressMeter()
        _ = meter.took(.init(items: 100), at: at(0))
        _ = meter.took(.init(items: 200), at: at(1))
        #expect(meter.took(.init(items: 3), at: at(2)) == .init())
        #expect(meter.took(.init(items: 5), at: at(3)).items == 2)
    }

    @Test("however often it is told, it keeps a bounded number of samples, and its rate holds")
    func bounded() {
        var meter = ProgressMeter()
        var rates = ProgressMeter.Rates()
        for step in 0...10_000 { rates = meter.took(.init(items: Int64(step)), at: MonotonicTime(sinceStart: .milliseconds(step))) }
        #expect((rates.items - 1_000).magnitude < 1e-6)
        #expect(Mirror(reflecting: meter).children.contains { ($0.value as? [Any])?.count == ProgressMeter.samplesMax })
    }

    @Test("changes are told once a second, quiet once in half a minute")
    func tells() {
        var meter = ProgressMeter()
        #expect(meter.tells(hasChanged: false, at: at(0)) == true, "the first one")
        #expect(meter.tells(hasChanged: true, at: MonotonicTime(sinceStart: .milliseconds(999))) == false)
        #expect(meter.tells(hasChanged: true, at: at(1)) == true)
        #expect(meter.tells(hasChanged: false, at: at(30)) == false)
        #expect(meter.tells(hasChanged: false, at: at(31)) == true)
    }

    @Test("what is left takes as long as the pace says, and nothing is said where nothing moves")
    func remaining() {
        #expect(ProgressMeter.remaining(100, at: 10) == .seconds(10))
        #expect(ProgressMeter.remaining(100, at: 0) == nil)
        #expect(ProgressMeter.remaining(0, at: 0) == .zero)
        #expect(ProgressMeter.remaining(.max, at: 1e-300) != nil)
    }
}
