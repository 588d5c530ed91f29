import DequeModule
import Events
import Logging

/// Makes the network's changes at the wanted pace, puts the planned faults among them, and hands both to the relays and to the record.
actor Producer {
    enum State: String, Sendable { case running, paused, finished, stopped }

    private static let batchMax = 256

    private let configuration: SimulatorConfiguration
    private let network: SimulatedNetwork
    private let relays: [RelayServer]
    private let labels: LabelProducer
    private let record: SentRecord
    private let serverFaults: ServerFaults
    private let counters: FaultCounters
    private let logger: Logger
    private let started = ContinuousClock.now
    private var pacer: RatePacer
    private var plan: FaultPlan
    private var prebuilt: Deque<NetworkEvent>
    private var isStopped = false
    /// What was asked for of the network and waits until what is prebuilt has gone, whose accounts it would be ahead of.
    private var deferred = Deque<FaultPlan.Due>()
    /// What was asked for of accounts and needs no event: how often it is still to be done.
    private var ordered = Deque<(order: FaultOrder, left: Int)>()
    private var lastStamp: Int64 = 0
    private var lagBytes = 0
    private(set) var produced = 0
    /// False from the moment a batch begins until all relays have taken it.
    private var isBatchDone = true

    init(
        configuration: SimulatorConfiguration, network: SimulatedNetwork, relays: [RelayServer], labels: LabelProducer, record: SentRecord,
        serverFaults: ServerFaults, counters: FaultCounters, prebuilt: Deque<NetworkEvent>, logger: Logger
    ) {
        self.configuration = configuration
        self.network = network
        self.relays = relays
        self.labels = labels
        self.record = record
        self.serverFaults = serverFaults
        self.counters = counters
        self.prebuilt = prebuilt
        self.logger = logger
        pacer = RatePacer(rate: configuration.rate, now: .zero)
        plan = FaultPlan(seed: configuration.seed, relays: configuration.relays.count)
    }

    /// Runs until cancelled; the record's file then holds every line.
    func run() async throws {
        defer { record.finish() }
        for order in configuration.faults { try await take(order) }
        while !Task.isCancelled {
            let made = try await step()
            // A full batch of an unlimited rate is followed by the next one; everything else waits for the next tick.
            let isBusy = made > 0 && (pacer.rate.eventsPerSecond.isInfinite || isStopped) || canCarryOut
            if isBusy { await Task.yield() } else { try await Task.sleep(for: .milliseconds(10)) }
        }
    }

    // MARK: Control

    func set(_ rate: EventRate) throws(SimulatorError) {
        try rate.validate()
        pacer = RatePacer(rate: rate, now: now)
        logger.info("simulator rate set", metadata: ["events_per_second": "\(rate.eventsPerSecond)"])
    }

    /// Ends production for good. What is prebuilt is sent first, so that the repository host is not ahead of the relays.
    func stop() async {
        isStopped = true
        await labels.stop()
        logger.info("simulator stops producing", metadata: ["prebuilt_left": "\(prebuilt.count)"])
    }

    /// Takes an order. What needs no event begins at once; the rest comes with the next events.
    func take(_ order: FaultOrder) async throws {
        try configuration.check(order)
        if order.isForLabelers { return try await labels.take(order) }
        if let did = order.did, await !network.knows(did) {
            throw SimulatorError(code: .invalidValue, message: "no account \(did)", entity: "simulator.faults.did")
        }
        let isNow = order.everyEvents == 0 && order.count > 0
        switch order.kind.place {
        case .network where isNow && (order.did != nil || order.kind.isLife): ordered.append((order, order.count))
        case .server where isNow: serverFaults.begin(order)
        case .relay where isNow, .connection where isNow:
            for (index, relay) in relays.enumerated() where order.relay ?? index == index {
                let orders = Array(repeating: order, count: order.kind.place == .connection ? order.count : 1)
                lagBytes = try await relay.publish([], orders: orders)
            }
        default:
            if order.kind.place == .server, order.count == 0, order.everyEvents == 0 { serverFaults.end(order) }
            plan.take(order)
        }
    }

    var state: State {
        if isStopped { return .stopped }
        if pacer.isFinished { return .finished }
        return pacer.rate.eventsPerSecond == 0 && pacer.rate.burstEvents == 0 ? .paused : .running
    }

    /// True while nothing is under way or about to be done at once.
    var isIdle: Bool { isBatchDone && !canCarryOut }

    /// The accounts' turn comes when what is prebuilt has gone.
    private var canCarryOut: Bool { !ordered.isEmpty && prebuilt.isEmpty }

    var prebuiltCount: Int { prebuilt.count }

    func prebuiltCommits(_ count: Int) -> [NetworkEvent] {
        Array(
            prebuilt.lazy.filter { event in
                if case .commit = event.kind { true } else { false }
            }.prefix(count))
    }

    var faultsWaiting: Int { plan.waitingCount + deferred.count + ordered.reduce(0) { $0 + $1.left } }
    var rate: EventRate { pacer.rate }

    // MARK: Producing

    private var now: MonotonicTime { MonotonicTime(sinceStart: ContinuousClock.now - started) }

    /// One batch: what is due, at most 256 events. Called with nothing due too, so that what relays hold comes out.
    private func step() async throws -> Int {
        let isHeldBack = pacer.rate.followsReaders && lagBytes > (configuration.relays.map(\.readerLagBytesMax).min() ?? 0) / 2
        var wanted = 0
        if isStopped {
            wanted = min(prebuilt.count, Self.batchMax)
        } else if !isHeldBack {
            wanted = pacer.due(now: now, limit: Self.batchMax)
        }
        isBatchDone = wanted == 0 && !canCarryOut
        defer { isBatchDone = true }
        var batch = RelayBatch(relays: relays.count)
        try await produceOrdered(into: &batch)
        var run = 0
        for _ in 0..<wanted {
            for due in plan.next() {
                switch due.order.kind.place {
                case .forged, .network: deferred.append(due)
                case .server: serverFaults.begin(due.order)
                case .connection, .relay: batch.orders[due.relay].append(due.order)
                case .stream: batch.due.append((due, produced + run))
                case .labels: break
                }
            }
            if !deferred.isEmpty, prebuilt.count <= run {
                try await produce(run, into: &batch)
                run = 0
                try await produceDeferred(into: &batch)
            }
            run += 1
        }
        try await produce(run, into: &batch)
        for (due, _) in batch.due { plan.take(FaultOrder(kind: due.order.kind, relay: due.relay)) }
        try await publish(batch)
        return wanted
    }

    private func produce(_ count: Int, into batch: inout RelayBatch) async throws {
        let ready = min(count, prebuilt.count)
        for event in prebuilt.prefix(ready) { add(event, to: &batch) }
        prebuilt.removeFirst(ready)
        guard count > ready else { return }
        for event in try await network.next(count - ready) { add(event, to: &batch) }
    }

    private func produceDeferred(into batch: inout RelayBatch) async throws {
        while let due = deferred.popFirst() {
            guard due.order.kind.place == .forged else {
                try await carryOut(due.order, into: &batch)
                continue
            }
            let event = try await network.forge(due.order.kind, relay: due.relay)
            batch.add(SentMessage(event: event, time: stamp(event)), toOnly: due.relay)
        }
    }

    /// At most a batch of them.
    private func produceOrdered(into batch: inout RelayBatch) async throws {
        var done = 0
        while canCarryOut, done < Self.batchMax, let next = ordered.popFirst() {
            done += 1
            if next.left > 1 { ordered.prepend((next.order, next.left - 1)) }
            try await carryOut(next.order, into: &batch)
        }
    }

    private func carryOut(_ order: FaultOrder, into batch: inout RelayBatch) async throws {
        guard let change = try await network.carryOut(order) else { return }
        counters.happened(order.kind)
        if let fork = change.fork { record.forked(fork) }
        for event in change.events {
            let message = SentMessage(event: event, time: stamp(event))
            record.sent(event, time: message.time)
            batch.add(message, faultsAt: nil)
        }
    }

    private func add(_ event: NetworkEvent, to batch: inout RelayBatch) {
        let message = SentMessage(event: event, time: stamp(event))
        record.sent(event, time: message.time)
        batch.add(message, faultsAt: produced)
        produced += 1
    }

    /// The wall clock's time or the network's own, never the same twice.
    private func stamp(_ event: NetworkEvent) -> [UInt8] {
        guard configuration.stampsWallTime else { return Timestamp.bytes(microseconds: event.microseconds) }
        lastStamp = max(lastStamp + 1, WallClock.microseconds)
        return Timestamp.bytes(microseconds: lastStamp)
    }

    private func publish(_ batch: RelayBatch) async throws {
        var lag = 0
        for (index, relay) in relays.enumerated() {
            lag = max(lag, try await relay.publish(batch.items[index], orders: batch.orders[index]))
        }
        lagBytes = lag
        try await record.flush()
    }
}
