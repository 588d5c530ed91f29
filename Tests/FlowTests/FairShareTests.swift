import Events
import Testing

@testable import Flow

@Suite("A fair share")
struct FairShareTests {
    @Test(
        "is the shards over the workers, rounded up",
        arguments: [(32, 1, 32), (32, 3, 11), (32, 32, 1), (32, 40, 1), (4, 0, 4)])
    func share(shards: Int, workers: Int, expected: Int) {
        #expect(FairShare(shards: shards).share(workers: workers) == expected)
    }

    @Test("gives back above it, takes up to it, and never both")
    func plan() {
        let fair = FairShare(shards: 8)
        let me = WorkerID("worker-a")
        #expect(fair.plan(me: me, workers: 2, owned: [0, 1, 2, 3, 4, 5], free: [6, 7]) == .init(giveBack: [4, 5]))
        let take = fair.plan(me: me, workers: 2, owned: [0, 1], free: [4, 5, 6, 7])
        #expect(take.wanted == 2)
        #expect(Set(take.take) == [4, 5, 6, 7])
        #expect(fair.plan(me: me, workers: 2, owned: [0, 1, 2, 3], free: [4]) == .init())
        #expect(fair.plan(me: me, workers: 9, owned: [], free: []) == .init())
    }

    @Test("settles in two rounds when workers come and go, without a shard that bounces", arguments: [1, 2, 3, 5, 7, 32, 40])
    func settles(workers: Int) {
        let shards = 32
        let fair = FairShare(shards: shards)
        let names = (0..<workers).map { WorkerID("worker-\($0)") }
        // One worker owned everything; the others start at once.
        var owned = [Set(0..<shards)] + Array(repeating: Set<Shard>(), count: workers - 1)
        var moves = [Int](repeating: 0, count: shards)
        for _ in 0..<2 {
            for index in names.indices {
                let free = Set(0..<shards).subtracting(owned.reduce([]) { $0.union($1) })
                let plan = fair.plan(me: names[index], workers: workers, owned: owned[index], free: free)
                owned[index].subtract(plan.giveBack)
                for shard in plan.take.prefix(plan.wanted) {
                    owned[index].insert(shard)
                    moves[shard] += 1
                }
            }
        }
        #expect(owned.reduce(0) { $0 + $1.count } == shards)
        #expect(owned.allSatisfy { $0.count <= fair.share(workers: workers) })
        #expect(moves.allSatisfy { $0 <= 1 })
    }
}
