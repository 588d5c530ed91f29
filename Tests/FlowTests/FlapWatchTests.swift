import Events
import Testing

@testable import Flow

@Suite("A watch for clients that flap")
struct FlapWatchTests {
    private func at(_ seconds: Int) -> MonotonicTime { MonotonicTime(sinceStart: .seconds(seconds)) }

    @Test("tells a client at its eleventh opening within a minute, and once a minute")
    func told() {
        var watch = FlapWatch<String>()
        var told: [Int] = []
        for second in 0..<200 where watch.opened("a", now: at(second)) != nil { told.append(second) }
        #expect(told == [10, 71, 132, 193])
        var others: [Int] = []
        for second in stride(from: 0, to: 600, by: 6) { if let count = watch.opened("b", now: at(second)) { others.append(count) } }
        #expect(others.allSatisfy { $0 == 11 })
        #expect(!others.isEmpty)
    }

    @Test("one that comes every seven seconds is well, and another's openings are not counted for it")
    func quiet() {
        var watch = FlapWatch<Int>()
        var told = 0
        for second in stride(from: 0, to: 600, by: 7) { for client in 0..<20 where watch.opened(client, now: at(second)) != nil { told += 1 } }
        #expect(told == 0)
    }

    @Test("holds no more clients than its bound, and forgets those that were quiet longest")
    func bound() {
        var watch = FlapWatch<Int>(clientsMax: 100)
        for client in 0..<1000 {
            _ = watch.opened(client, now: at(client / 50))
            #expect(watch.count <= 100)
        }
        for _ in 0..<300 { _ = watch.opened(Int.random(in: 5000...9000), now: at(20)) }
        #expect(watch.count <= 100)
    }
}
