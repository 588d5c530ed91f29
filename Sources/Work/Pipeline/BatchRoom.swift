internal import Synchronization

/// Bytes of entries that the pipelines of a process may hold together beyond the small share that each has for itself.
///
/// A shard that is behind reads batches of megabytes, and one process may own all shards: without a common bound each would hold two of them.
/// Loans are given in the order in which they are asked for, and none for ever: after a while the caller goes on with its own share, so a shard
/// that stands still with a loan makes others slower and never stops them. Owns no entries: what is lent is a promise about them.
final class BatchRoom: Sendable {
    /// Bytes that were lent. They come back when the last reference goes, however the batch ended.
    final class Loan: Sendable {
        private let room: BatchRoom
        private let lent: Atomic<Int>

        fileprivate init(_ bytes: Int, of room: BatchRoom) {
            self.room = room
            lent = Atomic(bytes)
        }

        deinit { room.giveBack(lent.load(ordering: .relaxed)) }

        var bytes: Int { lent.load(ordering: .relaxed) }

        /// Gives back what a batch turned out not to need; for the one who borrowed it, before others see the loan.
        func shrink(to bytes: Int) {
            let kept = max(0, bytes)
            let before = lent.load(ordering: .relaxed)
            guard kept < before else { return }
            lent.store(kept, ordering: .relaxed)
            room.giveBack(before - kept)
        }
    }

    private struct Waiter {
        var id: UInt64
        var bytes: Int
        var continuation: CheckedContinuation<Loan?, Never>
    }

    private struct State {
        var free: Int
        var lastID: UInt64 = 0
        /// At most one a pipeline.
        var waiters: [Waiter] = []
    }

    let bytes: Int
    private let state: Mutex<State>

    init(bytes: Int) {
        self.bytes = max(1, bytes)
        state = Mutex(State(free: self.bytes))
    }

    /// What nobody has borrowed.
    var free: Int { state.withLock { $0.free } }
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// So many bytes, at most all there are; nil where they do not come free within `patience`, or the task is cancelled.
    func loan(_ wanted: Int, patience: Duration) async -> Loan? {
        let wanted = min(max(wanted, 1), bytes)
        let id = state.withLock { state -> UInt64? in
            if Self.take(wanted, from: &state) { return nil }
            state.lastID += 1
            return state.lastID
        }
        guard let id else { return Loan(wanted, of: self) }
        let deadline = ContinuousClock.now + patience
        return await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // A time limit, ended early by the cancellation below.
                try? await Task.sleep(until: deadline, clock: .continuous)
                self.abandon(id)
            }
            defer { group.cancelAll() }
            return await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in wait(Waiter(id: id, bytes: wanted, continuation: continuation), until: deadline) }
            } onCancel: {
                abandon(id)
            }
        }
    }

    private func wait(_ waiter: Waiter, until deadline: ContinuousClock.Instant) {
        let isTaken = state.withLock { state in
            if Self.take(waiter.bytes, from: &state) { return true }
            state.waiters.append(waiter)
            return false
        }
        if isTaken { return waiter.continuation.resume(returning: Loan(waiter.bytes, of: self)) }
        // The deadline or the cancellation may have come before the waiter was in place.
        if Task.isCancelled || ContinuousClock.now >= deadline { abandon(waiter.id) }
    }

    /// Nobody overtakes those who wait already.
    private static func take(_ bytes: Int, from state: inout State) -> Bool {
        guard state.waiters.isEmpty, state.free >= bytes else { return false }
        state.free -= bytes
        return true
    }

    private func abandon(_ id: UInt64) {
        let (waiter, served) = state.withLock { state -> (Waiter?, [Waiter]) in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return (nil, []) }
            let waiter = state.waiters.remove(at: index)
            // Those behind it may want less.
            return (waiter, Self.serve(&state))
        }
        waiter?.continuation.resume(returning: nil)
        hand(served)
    }

    private func giveBack(_ bytes: Int) {
        let served = state.withLock { state in
            state.free += bytes
            return Self.serve(&state)
        }
        hand(served)
    }

    private static func serve(_ state: inout State) -> [Waiter] {
        var served: [Waiter] = []
        while let first = state.waiters.first, state.free >= first.bytes {
            state.free -= first.bytes
            served.append(state.waiters.removeFirst())
        }
        return served
    }

    private func hand(_ served: [Waiter]) {
        for waiter in served { waiter.continuation.resume(returning: Loan(waiter.bytes, of: self)) }
    }
}
