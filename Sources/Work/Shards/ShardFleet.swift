internal import CoreMetrics
internal import Events
internal import Flow
internal import Ledger
internal import Logging
internal import Metrics

/// Which shards this process owns, and what becomes of each: the lease rounds, one after the other.
///
/// A round renews all leases and the heartbeat in one statement, drops what was lost, gives back what is above the fair share once its batch
/// has committed, takes what is free below it, and says which pipelines to start. A shard's failure stays with that shard.
/// A crash leaves leases that run out by themselves.
actor ShardFleet {
    /// A pipeline to be run by the caller, who reports its end to ``ended(_:_:)``.
    struct Start: Sendable {
        var lease: ShardLease
        var stop: StopSignal
        var trust: LeaseTrust
    }

    private let worker: WorkerID
    private let ledger: Ledger
    private let configuration: WorkerConfiguration
    private let share: FairShare
    private let clock: WorkClock
    private let logger: Logger
    private let bell: Bell
    private var owned: [Shard: OwnedShard] = [:]
    private var isDraining = false
    private var random = SystemRandomNumberGenerator()
    private let ownedNow = Gauge(label: "weir_shards_owned")

    init(worker: WorkerID, shards: Int, ledger: Ledger, configuration: WorkerConfiguration, clock: WorkClock, logger: Logger, bell: Bell) {
        self.worker = worker
        self.ledger = ledger
        self.configuration = configuration
        share = FairShare(shards: shards)
        self.clock = clock
        self.logger = logger
        self.bell = bell
    }

    var ownedShards: [Shard] { owned.keys.sorted() }

    /// One round; failures of the ledger are logged, and trust runs out by itself where they last.
    func round() async -> [Start] {
        do {
            try await releaseLeaving()
            let start = clock.monotonic()
            let view = try await ledger.renewShards(worker: worker, ttl: configuration.leaseTimeToLive)
            apply(view, callStartedAt: start)
            if !isDraining {
                try await shareOut(view)
                try await clearHalts()
            }
        } catch {
            logger.warning("lease round failed", metadata: ["error": "\(error)"])
        }
        ownedNow.record(owned.count)
        return isDraining ? [] : due()
    }

    /// A pipeline ended; nil: because it was asked to.
    func ended(_ lease: ShardLease, _ failure: ShardFailure?) async {
        let now = clock.monotonic()
        guard var shard = owned[lease.shard], shard.lease == lease else { return }
        guard let failure else {
            shard.isLeaving = true
            owned[lease.shard] = shard
            return bell.ring()
        }
        if failure.kind == .fenced {
            owned[lease.shard] = nil
            moved("lost")
            logger.warning("shard lost", metadata: ["shard": "\(lease.shard)", "token": "\(lease.token)", "error": "\(failure)"])
            return
        }
        if case .running(let since) = shard.state { shard.retry.succeeded(at: since) }
        let delay = shard.retry.failed(at: now, using: &random)
        shard.state = .waiting(until: now + delay)
        if shard.stop.isSet { shard.isLeaving = true }
        let halts = OwnedShard.halts(failure.kind, failures: shard.retry.failures)
        if halts { shard.haltedReason = failure.message }
        owned[lease.shard] = shard
        Counter(label: "weir_shard_failures_total", dimensions: [("kind", failure.kind.rawValue)]).increment()
        // What passes by itself (Redis or Postgres away for a moment) is no error yet: it meets every shard at once.
        logger.log(
            level: halts ? .error : .warning, "shard stopped",
            metadata: [
                "shard": "\(lease.shard)", "error": "\(failure)", "failures": "\(shard.retry.failures)", "retry_in_ms": "\(delay.milliseconds)",
                "halted": "\(halts)",
            ])
        if halts {
            do { try await ledger.setHalted(lease, reason: failure.message) } catch {
                logger.warning("halt not recorded", metadata: ["shard": "\(lease.shard)", "error": "\(error)"])
            }
        }
    }

    /// Asks every pipeline to end after its batch, and takes nothing more.
    func drain() {
        isDraining = true
        for shard in owned.keys { leave(shard) }
        bell.ring()
    }

    /// Gives back everything that is left, and the heartbeat. The last call.
    func close() async {
        do {
            try await ledger.releaseShards(owned.values.map(\.lease))
            try await ledger.leave(worker: worker)
        } catch {
            logger.warning("leases not given back, they run out", metadata: ["error": "\(error)"])
        }
        owned.removeAll()
    }

    // MARK: Steps of a round

    private func apply(_ view: ShardLeaseRound, callStartedAt start: MonotonicTime) {
        let renewed = Dictionary(view.owned.map { ($0.shard, $0) }, uniquingKeysWith: { first, _ in first })
        for (number, shard) in owned {
            if renewed[number] == shard.lease {
                shard.trust.renewed(callStartedAt: start)
                continue
            }
            shard.trust.lost()
            shard.stop.set()
            // A pipeline that runs finds out at its next commit, and then says so itself.
            if case .waiting = shard.state {
                owned[number] = nil
                moved("lost")
            }
        }
        // Ours by name and unknown here: the answer to the call that took it was lost.
        for lease in view.owned where owned[lease.shard] == nil { adopt(lease, callStartedAt: start) }
    }

    private func shareOut(_ view: ShardLeaseRound) async throws {
        let staying = Set(owned.filter { !$0.value.isLeaving && !$0.value.stop.isSet }.keys)
        let plan = share.plan(me: worker, workers: view.liveWorkers, owned: staying, free: Set(view.free).subtracting(owned.keys))
        for shard in plan.giveBack { leave(shard) }
        guard plan.wanted > 0 else { return }
        let start = clock.monotonic()
        let wanted = Array(plan.take.prefix(plan.wanted))
        let taken = try await ledger.acquireShards(wanted, worker: worker, ttl: configuration.leaseTimeToLive)
        for lease in taken {
            adopt(lease, callStartedAt: start)
            moved("taken")
        }
        if !taken.isEmpty { logger.info("shards taken", metadata: ["shards": "\(Self.list(taken.map(\.shard)))", "owned": "\(owned.count)"]) }
    }

    private func adopt(_ lease: ShardLease, callStartedAt start: MonotonicTime) {
        let trust = LeaseTrust(timeToLive: configuration.leaseTimeToLive)
        trust.renewed(callStartedAt: start)
        owned[lease.shard] = OwnedShard(lease: lease, trust: trust, state: .waiting(until: start))
    }

    private static func list(_ shards: [Shard]) -> String { shards.sorted().map(String.init).joined(separator: " ") }

    private func leave(_ shard: Shard) {
        owned[shard]?.stop.set()
        if case .waiting = owned[shard]?.state { owned[shard]?.isLeaving = true }
    }

    private func releaseLeaving() async throws {
        let leaving = owned.values.filter(\.isLeaving)
        guard !leaving.isEmpty else { return }
        try await ledger.releaseShards(leaving.map(\.lease))
        for shard in leaving {
            owned[shard.lease.shard] = nil
            moved("given_back")
        }
        logger.info("shards given back", metadata: ["shards": "\(Self.list(leaving.map(\.lease.shard)))", "owned": "\(owned.count)"])
    }

    /// A halted shard that has run for a while without failing is well again.
    private func clearHalts() async throws {
        let now = clock.monotonic()
        for (number, shard) in owned where shard.haltedReason != nil {
            guard case .running(let since) = shard.state, now - since >= .seconds(5) else { continue }
            try await ledger.setHalted(shard.lease, reason: nil)
            owned[number]?.haltedReason = nil
            logger.notice("shard well again", metadata: ["shard": "\(number)"])
        }
    }

    private func due() -> [Start] {
        let now = clock.monotonic()
        var starts: [Start] = []
        for (number, shard) in owned {
            guard case .waiting(let until) = shard.state, until <= now, !shard.isLeaving else { continue }
            let stop = StopSignal()
            owned[number]?.stop = stop
            owned[number]?.state = .running(since: now)
            starts.append(Start(lease: shard.lease, stop: stop, trust: shard.trust))
        }
        return starts
    }

    private func moved(_ how: String) { Counter(label: "weir_lease_moves_total", dimensions: [("kind", "shard"), ("how", how)]).increment() }
}
