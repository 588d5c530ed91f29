import Broker
import Events
import Flow
import Ledger
import Logging
import Metrics
import ServiceLifecycle

/// Runs one sink in this worker until it is told to end: round after round while there is work, and then whenever it is woken.
///
/// Whatever happens here stays here: what another sink does, or its target, changes nothing in this one.
struct SinkRunner: Sendable {
    let handle: SinkHandle
    let writer: any SinkWriter
    let configuration: SinkServiceConfiguration
    let store: any SinkStore
    let worker: WorkerID
    let logger: Logger
    let metrics: SinkMetrics
    let factory: (any MetricsFactory)?
    let seams: FaultSeams

    func run() async {
        var round = SinkRound(
            handle: handle, writer: writer, configuration: configuration, store: store, worker: worker, logger: logger, metrics: metrics,
            factory: factory, seams: seams)
        logger.info("sink runs", metadata: ["generation": "\(handle.sink.generation)", "kind": "\(handle.definition.kind.rawValue)"])
        for await _ in handle.signal.wakeUps {
            if handle.isPaused { continue }
            do {
                while !handle.isEnding, !Task.isCancelled, try await round.once() {}
            } catch {
                // It looks again at the next tick: the ledger's trouble is everybody's, and no fault of the target's.
                handle.failed("the ledger: \(error.description)", at: .current)
                logger.warning("sink waits for the ledger", metadata: ["error": "\(error)"])
            }
            round.reportIfDue()
        }
        round.reportIfDue(isLast: true)
        await writer.close()
        logger.info("sink ended", metadata: ["generation": "\(handle.sink.generation)"])
    }
}
