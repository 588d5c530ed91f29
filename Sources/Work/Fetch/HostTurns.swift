internal import Events
internal import Flow

/// The queue in front of hosts, for all fetches of a process: who may ask now is decided by `FetchSlots`.
actor HostTurns {
    private var slots: FetchSlots
    private var waiters: [Int: CheckedContinuation<FetchSlots.Verdict, Never>] = [:]
    private var lastID = 0
    private let clock: WorkClock
    private let bell = Bell()
    private var random = SystemRandomNumberGenerator()

    init(slots: FetchSlots, clock: WorkClock) {
        self.slots = slots
        self.clock = clock
    }

    /// Waits for a turn at a host; `atMost` nil: as long as the slots allow.
    func turn(at host: String, atMost patience: Duration? = nil) async -> FetchSlots.Verdict {
        lastID += 1
        let id = lastID
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(returning: .crowded) }
                waiters[id] = continuation
                slots.enter(id, host: host, at: clock.monotonic(), atMost: patience)
                advance()
            }
        } onCancel: {
            Task { await self.leave(id) }
        }
    }

    /// True where that is news: it had failed before.
    func succeeded(_ permit: HostBudget.Permit) -> Bool {
        defer { advance() }
        return slots.succeeded(permit, at: clock.monotonic())
    }

    /// How long the host is left alone.
    func failed(_ permit: HostBudget.Permit, retryAfter: Duration?, isAsked: Bool) -> Duration {
        defer { advance() }
        let now = clock.monotonic()
        return max(.zero, slots.failed(permit, at: now, retryAfter: retryAfter, isAsked: isAsked, using: &random) - now)
    }

    func abandoned(_ permit: HostBudget.Permit) {
        slots.abandoned(permit)
        advance()
    }

    /// Looks at the queue whenever time alone may change something; until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            let wake = step()
            let wait = wake.map { max(.milliseconds(1), $0 - clock.monotonic()) } ?? .seconds(1)
            await bell.wait(atMost: min(wait, .seconds(1)))
        }
    }

    private func advance() {
        _ = step()
        // The time to wake at may be another one now.
        bell.ring()
    }

    private func step() -> MonotonicTime? {
        let round = slots.step(at: clock.monotonic())
        for (id, verdict) in round.verdicts { waiters.removeValue(forKey: id)?.resume(returning: verdict) }
        return round.wake
    }

    private func leave(_ id: Int) {
        slots.leave(id)
        waiters.removeValue(forKey: id)?.resume(returning: .crowded)
    }
}
