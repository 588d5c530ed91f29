/// Work that event loops hand out: done in tasks of one group, a bounded number at a time, the others waiting in order.
///
/// Each connection has at most one job under way, so as many as there may be connections can wait.
final class JobQueue: Sendable {
    typealias Job = @Sendable () async -> Void

    private let jobs: AsyncStream<Job>
    private let continuation: AsyncStream<Job>.Continuation
    private let atOnce: Int

    init(waitingMax: Int, atOnce: Int) {
        (jobs, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(waitingMax))
        self.atOnce = atOnce
    }

    /// False where too many wait: the job was not taken.
    func submit(_ job: @escaping Job) -> Bool {
        if case .enqueued = continuation.yield(job) { return true }
        return false
    }

    /// Until cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await job in jobs {
                if running == atOnce {
                    await group.next()
                    running -= 1
                }
                group.addTask { await job() }
                running += 1
            }
            group.cancelAll()
        }
    }
}
