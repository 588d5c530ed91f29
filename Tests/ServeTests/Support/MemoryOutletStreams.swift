import Broker
import Events

@testable import Serve

/// Outlet streams in memory; a follower waits until something comes, or for its block time.
actor MemoryOutletStreams: OutletReader {
    private var streams: [RunID: [LogEvent]] = [:]
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextWaiter = 0
    private var isDown = false
    private var corrupt: RunID?

    func publish(_ events: [LogEvent], keep: Int = .max) {
        for event in events {
            streams[event.run, default: []].append(event)
            if let count = streams[event.run]?.count, count > keep { streams[event.run]?.removeFirst(count - keep) }
        }
        wake()
    }

    func delete(_ run: RunID) { streams[run] = nil }
    func setDown(_ down: Bool) {
        isDown = down
        wake()
    }

    private func wake() {
        for waiter in waiters.values { waiter.resume() }
        waiters = [:]
    }

    func read(run: RunID, after: Int64, count: Int) throws(BrokerError) -> [LogEvent] {
        if isDown { throw BrokerError(code: .unavailable, message: "down", place: "test") }
        if run == corrupt { throw BrokerError(code: .corrupt, message: "foreign", place: "\(run)") }
        return Array((streams[run] ?? []).filter { $0.seq > after }.prefix(count))
    }

    nonisolated func withFollower(_ body: (any OutletFollowing) async throws -> Void) async throws {
        try await body(Follower(streams: self))
    }

    private struct Follower: OutletFollowing {
        let streams: MemoryOutletStreams

        func read(after: [RunID: Int64], countPerRun: Int, block: Duration) async throws(BrokerError) -> [RunID: [LogEvent]] {
            try await streams.follow(after, countPerRun, block)
        }
    }

    /// As an entry that somebody else wrote makes every read that meets it.
    func setCorrupt(_ run: RunID?) {
        corrupt = run
        wake()
    }

    /// Between the look and the wait nothing can come: both are this actor's.
    private func follow(_ after: [RunID: Int64], _ count: Int, _ block: Duration) async throws(BrokerError) -> [RunID: [LogEvent]] {
        let found = try found(after, count)
        if !found.isEmpty { return found }
        await wait(block)
        return try self.found(after, count)
    }

    private func found(_ after: [RunID: Int64], _ count: Int) throws(BrokerError) -> [RunID: [LogEvent]] {
        var found: [RunID: [LogEvent]] = [:]
        for (run, seq) in after {
            let events = try read(run: run, after: seq, count: count)
            if !events.isEmpty { found[run] = events }
        }
        return found
    }

    private func wait(_ block: Duration) async {
        nextWaiter += 1
        let waiter = nextWaiter
        let timer = Task {
            try? await Task.sleep(for: block)
            end(waiter)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiters[waiter] = $0 }
        } onCancel: {
            timer.cancel()
        }
        timer.cancel()
    }

    private func end(_ waiter: Int) { waiters.removeValue(forKey: waiter)?.resume() }
}
