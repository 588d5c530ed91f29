import PostgresClient
import Synchronization

/// Says when something in the fleet may have changed: as triggers in Postgres tell, and a few times a second for what has no row there.
///
/// Survives restarts of Postgres: it listens again, and what it missed meanwhile the next tick makes up for. Rings are at least 25 ms apart, so that
/// whoever looks again at each of them does not become a load of its own.
final class FleetChanges: Sendable {
    private struct State {
        var waiters: [CheckedContinuation<Void, Never>] = []
        var isDirty = false
        var hasEnded = false
    }

    private let state = Mutex(State())

    /// Listens and ticks until the task is cancelled; whoever waits then is let go.
    func run(_ configuration: PostgresConfiguration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.listen(configuration) }
            group.addTask { await self.tick() }
        }
        state.withLock { $0.hasEnded = true }
        ring()
    }

    /// Returns at the next change; at once where none comes any more.
    func next() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.waiters.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    private func listen(_ configuration: PostgresConfiguration) async {
        while !Task.isCancelled {
            if let connection = try? await PostgresConnection.connect(configuration) {
                do {
                    for try await _ in try await connection.notifications(on: ["scenario"]) { state.withLock { $0.isDirty = true } }
                } catch {
                    // Postgres went away: again, until it is back.
                }
                await connection.close()
            }
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    private func tick() async {
        var ticks = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(25))
            ticks += 1
            let isDirty = state.withLock { state in
                defer { state.isDirty = false }
                return state.isDirty
            }
            if isDirty || ticks.isMultiple(of: 8) { ring() }
        }
    }

    private func ring() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
