import Broker
public import Events
import Flow
import Ledger
public import Logging
import Metrics
public import ServiceLifecycle
import Synchronization

/// Runs every desired sink in this worker, each by itself, and says how each is.
///
/// What is desired stands in the ledger: sinks of the configuration file are written there first, those of the API are there. It is looked at again and
/// again, and what runs is made to follow. A sink is registered before its first batch, after any restart. Any number of workers may run: the
/// ledger leases each (run, sink) to one of them. What a crash leaves behind: leases that run out, heartbeats that grow old, and batches
/// that were delivered and not marked, which come again (see each writer for what that means).
public struct SinkService: Service {
    let configuration: SinkServiceConfiguration
    let store: any SinkStore
    let writers: any SinkWriters
    let worker: WorkerID
    let logger: Logger
    /// Nil: the process's own.
    var metrics: (any MetricsFactory)?
    let seams: FaultSeams

    public init(
        configuration: SinkServiceConfiguration, store: any SinkStore, writers: any SinkWriters, worker: WorkerID, logger: Logger,
        seams: FaultSeams = .off
    ) {
        self.configuration = configuration
        self.store = store
        self.writers = writers
        self.worker = worker
        self.logger = logger
        self.seams = seams
    }

    /// Runs until graceful shutdown, which lets batches that are under way end and be marked; cancellation ends them at once.
    public func run() async throws {
        let team = SinkTeam()
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await listen(team) }
                group.addTask { await poll(team) }
                group.addTask { await report(team) }
                group.addTask { await match() }
                await supervise(team)
                group.cancelAll()
            }
        } onGracefulShutdown: {
            team.endAll()
        }
        try? await store.reportConsumers([], worker: worker)
    }

    /// Makes what runs follow what is desired, until all is told to end.
    private func supervise(_ team: SinkTeam) async {
        await withTaskGroup(of: Void.self) { runners in
            var supervisor = SinkSupervisor(
                configuration: configuration, store: store, writers: writers, worker: worker, logger: logger, metrics: metrics, seams: seams,
                team: team)
            for await _ in team.look.wakeUps {
                for runner in await supervisor.look() {
                    runners.addTask {
                        await runner.run()
                        team.ended(runner.handle)
                    }
                }
                if team.isEnding { break }
            }
            // A look that was under way when all was told to end may have begun one more.
            team.endAll()
        }
    }

    /// Wakes sinks as appends commit, and the supervisor as sinks change. A lost connection costs nothing but the wait for the next look.
    private func listen(_ team: SinkTeam) async {
        var retry = RetryPolicy(limits: RetryPolicy.Limits(base: .milliseconds(100), cap: .seconds(10)))
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let started = MonotonicTime.current
            do {
                try await store.withAppendNotifications { notifications in
                    for try await name in notifications {
                        if name.isEmpty { team.look.wake() }
                        team.wakeAll()
                    }
                }
            } catch {
                logger.debug("no append notifications", metadata: ["error": "\(error)"])
            }
            if Task.isCancelled { return }
            retry.succeeded(at: started)
            try? await Task.sleep(for: retry.failed(at: .current, using: &generator))
        }
    }

    private func poll(_ team: SinkTeam) async {
        var lookedAt = MonotonicTime.current
        team.look.wake()
        while !Task.isCancelled {
            team.wakeAll()
            if MonotonicTime.current - lookedAt >= configuration.lookEvery {
                lookedAt = .current
                team.look.wake()
            }
            // Jitter, so that several workers do not ask at the same moment.
            try? await Task.sleep(for: min(configuration.pollEvery, configuration.lookEvery) * Double.random(in: 0.75...1.25))
        }
    }

    /// Heartbeats, which no delivery holds up.
    private func report(_ team: SinkTeam) async {
        while !Task.isCancelled {
            let (handles, stranded) = (team.all, team.stranded)
            if !handles.isEmpty || !stranded.isEmpty {
                do {
                    let progress = try await store.sinkProgress(handles.map(\.sink.name) + stranded.map(\.sink.name))
                    var reports = handles.map { handle in
                        let known = progress[handle.sink.name] ?? SinkProgress()
                        let report = handle.report(known, now: .current, wall: .current)
                        team.metrics(of: handle.sink.name)?.show(known, report)
                        return report
                    }
                    for sink in stranded {
                        sink.metrics.show(progress[sink.sink.name] ?? SinkProgress(), sink.report)
                        reports.append(sink.report)
                    }
                    try await store.reportConsumers(reports, worker: worker)
                } catch {
                    logger.debug("no heartbeats of sinks", metadata: ["error": "\(error)"])
                }
            }
            try? await Task.sleep(for: configuration.reportEvery)
        }
    }

    /// Gives runs and sinks that were made at the same moment their cursors.
    private func match() async {
        while !Task.isCancelled {
            do {
                let made = try await store.matchRuns(page: 5000)
                if made > 0 { logger.info("runs got cursors in sinks", metadata: ["cursors": "\(made)"]) }
            } catch {
                logger.debug("runs and sinks were not matched", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: configuration.matchEvery * Double.random(in: 0.75...1.25))
        }
    }
}
