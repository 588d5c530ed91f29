public import Broker
import CoreMetrics
public import Events
import Flow
public import Ledger
public import Logging
public import NIOCore
import NIOPosix
public import ServiceLifecycle

/// The HTTP API on one port: runs and their events, event streams, status, health, readiness, metrics.
///
/// Holds nothing that outlives it: a client's cursor is with the client, so any number of these serve side by side, and one that ends loses
/// nothing. At graceful shutdown streams are told to reconnect and end.
public struct APIService: Service {
    private let server: HTTPServer
    private let topics: TopicReader
    private let subscriptions: SubscriptionKeeper
    private let appends: AppendReport
    private let access: AccessKeeper

    /// - Parameters:
    ///   - shards: as fixed at the first migration (`Ledger.shardCount`).
    ///   - streams: for `/status` only; nil: it is left out.
    ///   - scope: what may be changed of which repositories are wanted.
    ///   - access: who may use it; off: everybody who reaches it, but for what `scope` says of writes.
    ///   - newAccess: asked again and again: who may use it from then on, or nil where that has not changed.
    ///   - readiness: nil: the whole fleet's, as the ledger shows it.
    ///   - metrics: what `/metrics` shows; nil: 404.
    ///   - onBound: called with the port once it listens.
    /// - Throws: ``ServeError/badConfiguration(_:)``.
    public init(
        configuration: ServerConfiguration, ledger: Ledger, outlet: OutletStreams, streams: WorkStreams?, shards: ShardMap,
        scope: APIScope = .live, access: APIAccess = .off, newAccess: @escaping @Sendable () -> APIAccess? = { nil },
        readiness: [any ReadinessSource]? = nil, metrics: PrometheusMetrics?, group: (any EventLoopGroup)? = nil, logger: Logger,
        seams: FaultSeams = .off, onBound: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ServeError) {
        try self.init(
            configuration: configuration, store: ledger, repositories: ledger, runs: ledger, subscriptions: ledger, sinks: ledger, outlet: outlet,
            levels: {
                do { return try await streams?.levels() } catch { return nil }
            }, shards: shards, scope: scope, access: access, newAccess: newAccess, readiness: readiness, metrics: metrics, group: group,
            logger: logger, seams: seams, onBound: onBound)
    }

    /// With stores of a test's own.
    public init(
        configuration: ServerConfiguration, store: any LogStore, repositories: any RepositoryStore, runs: any RunStore,
        subscriptions: any SubscriptionStore, sinks: (any SinkAdminStore)? = nil, outlet: any OutletReader,
        levels: @escaping @Sendable () async -> BrokerLevels?, shards: ShardMap, scope: APIScope = .live, access: APIAccess = .off,
        newAccess: @escaping @Sendable () -> APIAccess? = { nil }, readiness: [any ReadinessSource]?, metrics: PrometheusMetrics?,
        group: (any EventLoopGroup)? = nil, logger: Logger, seams: FaultSeams = .off, onBound: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ServeError) {
        let problems = configuration.problems()
        guard problems.isEmpty else { throw ServeError.badConfiguration(problems) }
        let factory: any MetricsFactory = metrics ?? MetricsSystem.factory
        let reader = LogReader(store: store, outlet: outlet, sink: configuration.sink)
        let topicBoard = TopicBoard(
            limits: OutletTopic.Limits(events: configuration.topicEvents, bytes: configuration.topicBytes), bytesOfAll: configuration.topicsBytes,
            keepIdle: configuration.topicKeepIdle)
        let streamMetrics = StreamMetrics(factory: factory)
        let streamCount = ConnectionCount(limit: configuration.connectionsMax)
        let (subscriptionBoard, flapBoard) = (SubscriptionBoard(), FlapBoard(watch: FlapWatch()))
        let board = ReadinessBoard(
            sources: readiness ?? [LedgerReadiness(ledger: store, stallAfter: configuration.stallAfter)], keepFor: configuration.readyCache)
        let writes = WriteGuard(bind: BindAddress(configuration.bind), scope: scope)
        let gate = AccessGate(access)
        self.access = AccessKeeper(gate: gate, every: configuration.accessEvery, changed: newAccess)
        appends = AppendReport(factory: factory, every: configuration.reportEvery, logger: logger)
        let responder = APIResponder(
            operations: OperationsResponder(readiness: board, metrics: metrics),
            queries: LogQueries(
                store: store, details: { (ids) throws(LedgerError) in try await runs.details(of: ids) }, levels: levels, shards: shards,
                sink: configuration.sink, streams: streamCount, subscriptions: subscriptions, board: subscriptionBoard, logger: logger),
            scope: ScopeQueries(store: repositories, shards: shards, writes: writes, logger: logger),
            runs: RunCommands(store: runs, writes: writes, sink: configuration.sink, report: appends, logger: logger), gate: gate,
            sinks: sinks.map { SinkQueries(store: $0, writes: writes, logger: logger) })
        let parts = ServerParts(
            configuration: configuration, responder: responder, metrics: ServerMetrics(factory: factory),
            streaming: ServerParts.Streaming(
                board: topicBoard, reader: reader, metrics: streamMetrics, clients: streamCount, subscriptions: subscriptionBoard,
                flapping: flapBoard, seams: seams), logger: logger)
        server = HTTPServer(parts: parts, group: group ?? MultiThreadedEventLoopGroup.singleton, onBound: onBound)
        self.subscriptions = SubscriptionKeeper(
            board: subscriptionBoard, flapping: flapBoard, store: subscriptions, debounce: configuration.ackDebounce,
            checkEvery: configuration.heartbeatEvery, logger: logger)
        topics = TopicReader(
            board: topicBoard, reader: reader, heartbeatEvery: configuration.heartbeatEvery, block: configuration.followBlock,
            coalesce: configuration.coalesce, bytesMax: configuration.followBytes, retry: configuration.retry, metrics: streamMetrics, logger: logger)
    }

    /// Until graceful shutdown; throws where it cannot listen.
    public func run() async throws {
        try await server.run { [topics, subscriptions, appends, access] loops in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await subscriptions.run() }
                group.addTask { await appends.run() }
                group.addTask { await access.run() }
                await topics.run { loops.advanced($0) }
                group.cancelAll()
            }
        }
        appends.report()
        await subscriptions.flush()
    }
}
