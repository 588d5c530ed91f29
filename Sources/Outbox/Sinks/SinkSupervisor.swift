import Broker
import Events
import Flow
import Ledger
import Logging
import Metrics

/// Looks at what is desired, and says which sinks are to be begun; those that are to end are told so.
struct SinkSupervisor: Sendable {
    let configuration: SinkServiceConfiguration
    let store: any SinkStore
    let writers: any SinkWriters
    let worker: WorkerID
    let logger: Logger
    let metrics: (any MetricsFactory)?
    let seams: FaultSeams
    let team: SinkTeam
    private var roster = SinkRoster()
    private var isConfigured = false
    /// What was complained of, by sink, so that it is told once.
    private var complaints: [String: String] = [:]

    init(
        configuration: SinkServiceConfiguration, store: any SinkStore, writers: any SinkWriters, worker: WorkerID, logger: Logger,
        metrics: (any MetricsFactory)?, seams: FaultSeams, team: SinkTeam
    ) {
        self.configuration = configuration
        self.store = store
        self.writers = writers
        self.worker = worker
        self.logger = logger
        self.metrics = metrics
        self.seams = seams
        self.team = team
    }

    /// Runners to begin, each registered in the ledger already. One sink that cannot run is told of, by
    /// its heartbeat too, and tried again at the next look; the others go on.
    mutating func look() async -> [SinkRunner] {
        for name in team.takeEnded() { roster.ended(name) }
        if team.isEnding { return [] }
        do {
            if !isConfigured { try await configure() }
            isConfigured = true
            var unreadable: [(String, SinkProblem)] = []
            let sinks = try await store.sinks { unreadable.append(($0, $1)) }
            for (name, problem) in unreadable { complain(name, problem.description) }
            for sink in sinks where sink.hasRequeued { team[sink.name]?.requeued() }
            team.keepStranded(Set(sinks.map(\.name)))
            return try await follow(sinks)
        } catch {
            logger.warning("sinks cannot be looked at", metadata: ["error": "\(error)"])
            return []
        }
    }

    private mutating func follow(_ sinks: [RegisteredSink]) async throws(LedgerError) -> [SinkRunner] {
        let steps = roster.reconcile(sinks.map { SinkRoster.Desired($0.name, generation: $0.generation) })
        var begun: [SinkRunner] = []
        for step in steps {
            switch step {
            case .end(let name): team[name]?.end()
            case .begin(let desired):
                guard let sink = sinks.first(where: { $0.name == desired.name }), let runner = runner(sink) else {
                    roster.ended(desired.name)
                    continue
                }
                begun.append(runner)
            }
        }
        guard !begun.isEmpty else { return [] }
        // Heartbeats know them before their rows are there: they take rows away of what they do not know.
        for runner in begun { team.add(runner.handle, runner.metrics) }
        do {
            try await store.registerConsumers(begun.map(\.handle.sink), worker: worker)
        } catch {
            // Nothing of them begins before it is registered; the next look tries again.
            for runner in begun {
                await runner.writer.close()
                team.ended(runner.handle)
            }
            throw error
        }
        return begun
    }

    private mutating func runner(_ sink: RegisteredSink) -> SinkRunner? {
        do {
            let definition = try SinkDefinition(name: sink.name, settings: sink.settings)
            let writer = try writers.writer(for: definition)
            complaints[sink.name.description] = nil
            var logger = logger
            logger[metadataKey: "sink"] = "\(sink.name)"
            let handle = SinkHandle(
                sink: sink, definition: definition, laggingAfter: configuration.laggingAfter, now: .current, wall: .current)
            return SinkRunner(
                handle: handle, writer: writer, configuration: configuration, store: store, worker: worker, logger: logger,
                metrics: SinkMetrics(sink.name, factory: metrics), factory: metrics, seams: seams)
        } catch {
            complain(sink.name.description, error.description)
            team.strand(sink, error.description, at: .current) { SinkMetrics(sink.name, factory: metrics) }
            return nil
        }
    }

    private mutating func complain(_ name: String, _ problem: String) {
        guard complaints[name] != problem else { return }
        complaints[name] = problem
        logger.error("a sink cannot run in this worker", metadata: ["sink": "\(name)", "problem": "\(problem)"])
    }

    /// Writes the sinks of the configuration file into the registry, and takes out those that the file has no more.
    private func configure() async throws(LedgerError) {
        guard let configured = configuration.configured else { return }
        for definition in configured {
            let stored = try await store.storeSink(definition, origin: .configuration, onlyNew: false)
            if stored != .same { logger.info("sink of the configuration", metadata: ["sink": "\(definition.name)", "is": "\(stored)"]) }
        }
        for name in try await store.configuredSinks(but: configured.map(\.name)) {
            logger.notice("a sink is no longer in the configuration and is removed", metadata: ["sink": "\(name)"])
            _ = try await store.removeSink(name)
        }
    }
}
