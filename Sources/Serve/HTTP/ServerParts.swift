import Events
import Logging

/// What all connections of a server share.
final class ServerParts: Sendable {
    let configuration: ServerConfiguration
    let responder: any Responder
    let requests: JobQueue
    /// Those of them that change a run, apart from the others.
    let lanes: RunLanes
    let changes: JobQueue
    let catchUps: JobQueue
    let connections: ConnectionCount
    let bodies: BodyBudget
    let metrics: ServerMetrics
    /// Nil where a server has no streams.
    let streaming: Streaming?
    let logger: Logger

    /// What streams need beyond that.
    struct Streaming: Sendable {
        var board: TopicBoard
        var reader: LogReader
        var metrics: StreamMetrics
        /// How many streams there are.
        var clients: ConnectionCount
        var subscriptions: SubscriptionBoard
        var flapping: FlapBoard
        var seams = FaultSeams.off
    }

    init(configuration: ServerConfiguration, responder: any Responder, metrics: ServerMetrics, streaming: Streaming?, logger: Logger) {
        self.configuration = configuration
        self.responder = responder
        self.metrics = metrics
        self.streaming = streaming
        self.logger = logger
        connections = ConnectionCount(limit: configuration.connectionsMax)
        bodies = BodyBudget(bytes: configuration.bodiesBytesMax)
        requests = JobQueue(waitingMax: configuration.connectionsMax, atOnce: configuration.requestsAtOnce)
        changes = JobQueue(waitingMax: configuration.connectionsMax, atOnce: configuration.changesAtOnce)
        lanes = RunLanes(
            queue: changes,
            limits: RunLanes.Limits(
                atOnce: configuration.runChangesAtOnce, atOnceOfAll: configuration.changesAtOnce, waiting: configuration.runChangesWaiting,
                patience: configuration.runChangePatience),
            factory: metrics.factory)
        catchUps = JobQueue(waitingMax: configuration.connectionsMax, atOnce: configuration.catchUpsAtOnce)
    }
}
