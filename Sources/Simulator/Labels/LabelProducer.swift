import Events

/// Makes labels at the wanted pace and hands them to their labelers' streams, with the faults that were ordered.
actor LabelProducer {
    private static let batchMax = 256

    private let network: SimulatedNetwork
    private let servers: [RelayServer]
    private let accounts: Int
    private let stampsWallTime: Bool
    private let started = ContinuousClock.now
    private var maker: LabelMaker
    private var pacer: RatePacer
    private var plan: FaultPlan
    private var clock: Int64
    /// Bad labels that were asked for, by labeler: they wait for nothing.
    private var forgeries: [Int]
    private var isStopped = false
    private(set) var produced = 0
    /// False from the moment a batch begins until the labelers have taken it.
    private var isBatchDone = true

    init(configuration: SimulatorConfiguration, network: SimulatedNetwork, maker: LabelMaker, servers: [RelayServer]) {
        self.network = network
        self.servers = servers
        self.maker = maker
        accounts = configuration.accounts
        stampsWallTime = configuration.stampsWallTime
        clock = configuration.startMicroseconds ?? WallClock.microseconds
        pacer = RatePacer(rate: EventRate(eventsPerSecond: configuration.labels.labelsPerSecond), now: .zero)
        forgeries = Array(repeating: 0, count: servers.count)
        plan = FaultPlan(seed: configuration.seed, relays: servers.count)
    }

    /// Runs until cancelled.
    func run() async throws {
        while !Task.isCancelled {
            let made = try await step()
            if made > 0, pacer.rate.eventsPerSecond.isInfinite { await Task.yield() } else { try await Task.sleep(for: .milliseconds(10)) }
        }
    }

    // MARK: Control

    /// So many labels a second, and at most so many from now on.
    func set(labelsPerSecond: Double, max: Int?) throws(SimulatorError) {
        let rate = EventRate(eventsPerSecond: labelsPerSecond, eventsMax: max)
        try rate.validate()
        pacer = RatePacer(rate: rate, now: now)
    }

    /// Ends production for good.
    func stop() { isStopped = true }

    /// Takes an order that is about labelers.
    func take(_ order: FaultOrder) async throws {
        var order = order
        order.relay = order.labeler
        let isNow = order.everyEvents == 0 && order.count > 0
        guard isNow else {
            plan.take(order)
            return
        }
        for (index, server) in servers.enumerated() where order.labeler ?? index == index {
            if order.kind.place == .labels {
                forgeries[index] += order.count
                continue
            }
            _ = try await server.publish([], orders: Array(repeating: order, count: order.kind.place == .connection ? order.count : 1))
        }
    }

    /// Nothing more will come by itself.
    var isDone: Bool {
        servers.isEmpty || (isStopped || pacer.isFinished || pacer.rate.eventsPerSecond == 0) && isBatchDone && !isForging
    }
    var faultsWaiting: Int { plan.waitingCount + forgeries.reduce(0, +) }

    /// What is current now, in no order; `expired` adds what has ended by itself.
    func labels(expired: Bool) -> [SimulatedLabel] {
        let now = stampsWallTime ? WallClock.microseconds : clock
        return maker.labelers.flatMap { $0.book.current(at: expired ? nil : now) }
    }

    // MARK: Producing

    private var now: MonotonicTime { MonotonicTime(sinceStart: ContinuousClock.now - started) }

    private var isForging: Bool { forgeries.contains { $0 > 0 } }

    private func step() async throws -> Int {
        let wanted = isStopped ? 0 : pacer.due(now: now, limit: Self.batchMax)
        isBatchDone = wanted == 0 && !isForging
        defer { isBatchDone = true }
        var items = [[RelayItem]](repeating: [], count: servers.count)
        var orders = [[FaultOrder]](repeating: [], count: servers.count)
        for index in servers.indices where forgeries[index] > 0 {
            forgeries[index] -= 1
            items[index].append(RelayItem(content: .labels(try await forgery(by: index))))
        }
        var left = wanted
        while left > 0 {
            let index = maker.labeler()
            let count = min(maker.frameCount(), left)
            left -= count
            items[index].append(RelayItem(content: .labels(LabelsMessage(labels: try await labels(count, by: index), refused: []))))
            for due in plan.next() {
                guard due.order.kind == .labelBadSignature else {
                    orders[due.relay].append(due.order)
                    continue
                }
                items[due.relay].append(RelayItem(content: .labels(try await forgery(by: due.relay))))
            }
        }
        produced += wanted
        for (index, server) in servers.enumerated() { _ = try await server.publish(items[index], orders: orders[index]) }
        return wanted
    }

    private func labels(_ count: Int, by index: Int) async throws -> [SimulatedLabel] {
        var labels: [SimulatedLabel] = []
        for _ in 0..<count {
            let subject = try await subject()
            labels.append(try maker.label(by: index, about: subject, microseconds: stamp()))
        }
        return labels
    }

    /// One that must be refused, beside one that must not.
    private func forgery(by index: Int) async throws -> LabelsMessage {
        let (one, two) = (try await subject(), try await subject())
        let forged = try maker.forgery(by: index, about: one, microseconds: stamp())
        let sound = try maker.label(by: index, about: two, microseconds: stamp())
        return LabelsMessage(labels: [forged, sound], refused: [0])
    }

    private func subject() async throws -> LabelMaker.Subject {
        try await network.subject(maker.number(below: min(accounts, 2_000)), draw: maker.number(below: 1 << 30))
    }

    /// Later than each before it.
    private func stamp() -> Int64 {
        clock = stampsWallTime ? max(clock + 1, WallClock.microseconds) : clock + 1_000
        return clock
    }
}
