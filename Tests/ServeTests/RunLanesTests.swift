import Broker
import Events
import Metrics
import Synchronization
import Testing

@testable import Serve

@Suite(.timeLimit(.minutes(10))) struct RunLanesTests {
    private let hot: RunID = .firehose(1)
    private let other: RunID = .firehose(2)

    /// What began, and a way to let what has begun end.
    private final class Work: Sendable {
        private let state = Mutex<(begun: [Int], gates: [Int: AsyncStream<Void>.Continuation], refused: [Int])>(([], [:], []))
        let changes: AsyncStream<Void>
        private let changed: AsyncStream<Void>.Continuation

        init() { (changes, changed) = AsyncStream.makeStream() }

        var begun: [Int] { state.withLock { $0.begun } }
        var refused: [Int] { state.withLock { $0.refused } }

        func job(_ number: Int) -> Serve.JobQueue.Job {
            let (gate, opens) = AsyncStream<Void>.makeStream()
            return { [self] in
                state.withLock { state in
                    state.begun.append(number)
                    state.gates[number] = opens
                }
                changed.yield()
                for await _ in gate {}
            }
        }

        func refuse(_ number: Int) -> @Sendable () -> Void {
            { [self] in
                state.withLock { $0.refused.append(number) }
                changed.yield()
            }
        }

        func end(_ number: Int) { state.withLock { $0.gates[number] }?.finish() }

        func waitUntil(_ condition: @Sendable () -> Bool) async {
            if condition() { return }
            for await _ in changes where condition() { return }
        }
    }

    private func running(_ limits: RunLanes.Limits, _ body: @escaping @Sendable (RunLanes, Work) async -> Void) async {
        let queue = Serve.JobQueue(waitingMax: 100, atOnce: 4)
        let lanes = RunLanes(queue: queue, limits: limits, factory: PrometheusMetrics())
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await queue.run() }
            group.addTask { await body(lanes, Work()) }
            await group.next()
            group.cancelAll()
        }
    }

    @Test("changes of one run begin in their order, two at a time; another run's begin beside them")
    func order() async {
        let (hot, other) = (hot, other)
        await running(RunLanes.Limits(atOnce: 2, atOnceOfAll: 8, waiting: 100, patience: .seconds(3600))) { lanes, work in
            for number in 0..<10 { lanes.submit(hot, work.job(number), refuse: work.refuse(number)) }
            lanes.submit(other, work.job(100), refuse: work.refuse(100))
            await work.waitUntil { Set(work.begun) == [0, 1, 100] }
            #expect(lanes.waiting == 8)
            for number in 0..<8 {
                work.end(number)
                await work.waitUntil { work.begun.count == number + 4 }
                #expect(work.begun.last == number + 2)
            }
            #expect(lanes.waiting == 0)
            for number in [8, 9, 100] { work.end(number) }
            // A lane that is empty begins anew.
            lanes.submit(hot, work.job(10), refuse: work.refuse(10))
            await work.waitUntil { work.begun.last == 10 }
            work.end(10)
            #expect(work.refused.isEmpty)
        }
    }

    @Test("one more than may wait is refused at once, and one that has waited too long when its turn comes; those behind it have theirs")
    func bounds() async {
        let hot = hot
        await running(RunLanes.Limits(atOnce: 1, atOnceOfAll: 8, waiting: 3, patience: .seconds(60))) { lanes, work in
            let long = MonotonicTime.current + .seconds(-61)
            lanes.submit(hot, work.job(0), refuse: work.refuse(0))
            await work.waitUntil { work.begun == [0] }
            for number in 1...2 { lanes.submit(hot, now: long, work.job(number), refuse: work.refuse(number)) }
            lanes.submit(hot, work.job(3), refuse: work.refuse(3))
            lanes.submit(hot, work.job(4), refuse: work.refuse(4))
            #expect(work.refused == [4])
            work.end(0)
            await work.waitUntil { work.begun == [0, 3] }
            #expect(work.refused == [4, 1, 2])
            work.end(3)
        }
    }

    @Test("above half of what all runs may have a run has one change under way; the places of those that are done are others'")
    func seconds() async {
        let runs = (0..<4).map { RunID.firehose($0) }
        await running(RunLanes.Limits(atOnce: 2, atOnceOfAll: 4, waiting: 100, patience: .seconds(3600))) { lanes, work in
            // Two of the first run, of the others one each.
            for (index, run) in runs.enumerated() {
                for number in 0..<2 { lanes.submit(run, work.job(index * 10 + number), refuse: work.refuse(index * 10 + number)) }
            }
            await work.waitUntil { work.begun.count == 4 }
            #expect(Set(work.begun) == [0, 1, 10, 20], "the queue does four at a time")
            #expect(lanes.waiting == 3)
            for number in [0, 1, 10, 20] { work.end(number) }
            await work.waitUntil { work.begun.count == 7 }
            #expect(Set(work.begun[4...]) == [11, 21, 30])
            for number in [11, 21, 30] { work.end(number) }
            await work.waitUntil { work.begun.count == 8 }
            work.end(31)
            while lanes.running > 0 { await Task.yield() }
            // All places are free again: the first half of them may be one run's.
            for number in 40...41 { lanes.submit(runs[0], work.job(number), refuse: work.refuse(number)) }
            await work.waitUntil { work.begun.count == 10 }
            for number in 40...41 { work.end(number) }
            #expect(work.refused.isEmpty)
        }
    }

    @Test("one that waited too long for a place among all runs is refused when it has one")
    func lateInQueue() async {
        let (hot, other) = (hot, other)
        let queue = Serve.JobQueue(waitingMax: 100, atOnce: 1)
        let lanes = RunLanes(queue: queue, limits: .init(atOnce: 1, atOnceOfAll: 1, waiting: 3, patience: .zero), factory: PrometheusMetrics())
        let work = Work()
        let now = MonotonicTime.current
        lanes.submit(hot, now: now, work.job(0), refuse: work.refuse(0))
        lanes.submit(other, now: now, work.job(1), refuse: work.refuse(1))
        let doing = Task { await queue.run() }
        await work.waitUntil { work.refused.count == 2 }
        #expect(work.begun.isEmpty)
        doing.cancel()
        await doing.value
    }

    @Test("a queue that takes nothing more refuses, and the lane is free behind it")
    func full() async {
        let queue = Serve.JobQueue(waitingMax: 0, atOnce: 1)
        let lanes = RunLanes(queue: queue, limits: .init(atOnce: 1, atOnceOfAll: 8, waiting: 3, patience: .seconds(60)), factory: PrometheusMetrics())
        let work = Work()
        for number in 0..<3 { lanes.submit(hot, work.job(number), refuse: work.refuse(number)) }
        #expect(work.refused == [0, 1, 2])
        #expect(lanes.waiting == 0)
    }
}
