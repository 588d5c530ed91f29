public import Broker
public import Events
public import Ledger
public import Logging
public import ServiceLifecycle

/// Lists the repositories of all configured hosts as jobs, and feeds jobs into the stream from which workers fetch.
///
/// Any number of replicas may run: one lists a host, one feeds, the others stand by. A host's failure never touches another's, and the service ends
/// only with a shutdown. With the scope `live` it says that there is nothing to do, and waits.
public struct BackfillIngester: Service {
    public let configuration: BackfillIngesterConfiguration
    private let ledger: Ledger
    private let queue: JobQueue
    private let worker: WorkerID
    private let seams: FaultSeams
    private let logger: Logger

    public init(
        configuration: BackfillIngesterConfiguration, ledger: Ledger, queue: JobQueue, worker: WorkerID, logger: Logger, seams: FaultSeams = .off
    ) {
        self.configuration = configuration
        self.ledger = ledger
        self.queue = queue
        self.worker = worker
        self.seams = seams
        self.logger = logger
    }

    public func run() async throws {
        guard configuration.scope.tracks else {
            logger.notice("repos.scope is live: there is nothing to list or to feed")
            return await Pause.untilShutdown()
        }
        await Pause.untilShutdown()
    }
}
