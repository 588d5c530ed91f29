public import Broker
public import Events
import Flow
public import Ledger
public import Logging
import Metrics
public import ServiceLifecycle

/// Publishes runs to their outlet streams: claims what is pending, in seq order, each event once in the outlet.
///
/// Any number may run: the ledger leases each (run, sink) to one. A crash between publishing and marking leaves entries in the outlet
/// that the next publisher offers again under the same ids; Redis refuses them, and the cursor moves on. A run whose log lacks a
/// seq is halted by itself (`weir_publish_gaps_total`, an error with run, expected seq, last good seq); the others go on.
public struct PublisherService: Service {
    let configuration: PublisherConfiguration
    let store: any OutboxStore
    let outlet: any OutletWriter
    let worker: WorkerID
    let logger: Logger
    /// Nil: the process's own.
    var metrics: (any MetricsFactory)?
    private let seams: FaultSeams

    public init(
        configuration: PublisherConfiguration, ledger: Ledger, outlet: OutletStreams, worker: WorkerID, logger: Logger, seams: FaultSeams = .off
    ) {
        self.init(configuration: configuration, store: ledger, outlet: outlet, worker: worker, logger: logger, seams: seams)
    }

    /// With stores of a test's own.
    public init(
        configuration: PublisherConfiguration, store: any OutboxStore, outlet: any OutletWriter, worker: WorkerID, logger: Logger,
        seams: FaultSeams = .off
    ) {
        self.configuration = configuration
        self.store = store
        self.outlet = outlet
        self.worker = worker
        self.logger = logger
        self.seams = seams
    }

    /// Runs until graceful shutdown, which lets the round under way end and be marked; cancellation ends it at once.
    public func run() async throws {
        let signal = WakeSignal()
        let round = PublishRound(
            configuration: configuration, store: store, outlet: outlet, worker: worker, logger: logger, metrics: metrics, seams: seams)
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await listen(signal) }
                group.addTask { await poll(signal) }
                await publish(round, signal)
                group.cancelAll()
            }
        } onGracefulShutdown: {
            signal.finish()
        }
        logger.info("publisher stopped", metadata: ["sink": "\(configuration.sink)"])
    }

    /// Rounds, each until nothing is pending, one after the other.
    private func publish(_ initial: PublishRound, _ signal: WakeSignal) async {
        var round = initial
        var retry = RetryPolicy(limits: configuration.retry)
        var generator = SystemRandomNumberGenerator()
        for await _ in signal.wakeUps {
            do {
                while try await round.once(), !Task.isCancelled, !Task.isShuttingDownGracefully {}
                retry.succeeded(at: .current)
                try await Task.sleep(for: configuration.debounce)
            } catch let error as LedgerError {
                let delay = retry.failed(at: .current, using: &generator)
                logger.warning(
                    "publisher waits for the ledger",
                    metadata: ["error": "\(error)", "retry_after_ms": "\(delay.milliseconds)", "sink": "\(configuration.sink)"])
                // A cancelled wait ends with the loop: the stream of wake-ups is cancelled too.
                try? await Task.sleep(for: delay)
            } catch {
                return
            }
            round.reportIfDue(at: .current)
        }
        round.reportIfDue(at: nil)
    }

    /// Wakes the rounds as appends commit. A lost connection costs no event: the poll finds it.
    private func listen(_ signal: WakeSignal) async {
        var retry = RetryPolicy(limits: configuration.retry)
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let started = MonotonicTime.current
            var failure = "the connection ended"
            do {
                try await store.withAppendNotifications { notifications in
                    for try await _ in notifications { signal.wake() }
                }
            } catch {
                failure = "\(error)"
            }
            if Task.isCancelled { return }
            retry.succeeded(at: started)
            let delay = retry.failed(at: .current, using: &generator)
            logger.info("no append notifications", metadata: ["error": "\(failure)", "retry_after_ms": "\(delay.milliseconds)"])
            try? await Task.sleep(for: delay)
        }
    }

    private func poll(_ signal: WakeSignal) async {
        while !Task.isCancelled {
            signal.wake()
            // Jitter, so that several publishers do not ask at the same moment.
            try? await Task.sleep(for: configuration.pollEvery * Double.random(in: 0.75...1.25))
        }
    }
}
