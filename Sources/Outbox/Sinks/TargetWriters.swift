import Broker
public import Events
import Hosts
public import Logging
import PostgresClient
public import RedisClient

/// Writers of every kind, with what a worker has: its Redis, the address of its Postgres, a folder.
public struct TargetWriters: SinkWriters {
    private let redis: RedisClient
    private let postgresURL: String?
    private let folder: String
    private let allowsPrivateHosts: Bool
    private let worker: WorkerID
    private let logger: Logger

    /// - Parameters:
    ///   - redis: for streams without an address of their own.
    ///   - postgresURL: for tables without an address of their own; in the database's default search path.
    ///   - folder: where files with relative paths lie.
    ///   - allowsPrivateHosts: whether any webhook may be at an address that is not of the public network.
    public init(redis: RedisClient, postgresURL: String?, folder: String, allowsPrivateHosts: Bool, worker: WorkerID, logger: Logger) {
        self.redis = redis
        self.postgresURL = postgresURL
        self.folder = folder
        self.allowsPrivateHosts = allowsPrivateHosts
        self.worker = worker
        self.logger = logger
    }

    public func writer(for sink: SinkDefinition) throws(SinkProblem) -> any SinkWriter {
        switch sink.target {
        case .file(let path): FileWriter(destination: .path(path.hasPrefix("/") ? path : "\(folder)/\(path)"))
        case .stdout: FileWriter(destination: .descriptor(1))
        case .redis(let url, let stream, let length): try streamWriter(sink, url, stream, length)
        case .webhook(let target): try webhook(sink, target)
        case .postgres(let url, let table, let mode): try self.table(sink, url, table, mode)
        }
    }

    private func streamWriter(_ sink: SinkDefinition, _ url: String?, _ stream: String, _ length: Int) throws(SinkProblem) -> any SinkWriter {
        guard let url else { return RedisStreamWriter(redis: redis, stream: stream, length: length, timeout: sink.timeout, closes: false) }
        do {
            var configuration = try RedisConfiguration(url: url)
            configuration.clientName = worker.description
            return RedisStreamWriter(
                redis: RedisClient(configuration, logger: logger), stream: stream, length: length, timeout: sink.timeout, closes: true)
        } catch {
            throw SinkProblem("url", allowed: "an address of Redis: \(error.message)")
        }
    }

    private func webhook(_ sink: SinkDefinition, _ target: WebhookTarget) throws(SinkProblem) -> any SinkWriter {
        let endpoint: HostEndpoint
        do {
            endpoint = try HostEndpoint(target.origin)
        } catch {
            throw SinkProblem("url", allowed: error.problem)
        }
        let configuration = HostConnectionConfiguration(
            allowPrivateHosts: allowsPrivateHosts || target.allowsPrivate, connectTimeout: min(sink.timeout, .seconds(10)),
            idleTimeout: sink.timeout, lookupTimeout: min(sink.timeout, .seconds(10)), connectionsPerHost: sink.concurrency, hostsKept: 1)
        let connections: HostConnections
        do {
            connections =
                try target.authoritiesFile.map { file throws(HostError) in try HostConnections(configuration, authorities: file) }
                ?? HostConnections(configuration)
        } catch {
            throw SinkProblem("ca_file", given: error.message, allowed: "a PEM file with certificates that this worker can read")
        }
        return WebhookWriter(target: target, endpoint: endpoint, connections: connections, timeout: sink.timeout, wall: { .current })
    }

    private func table(_ sink: SinkDefinition, _ url: String?, _ table: TableName, _ mode: TableMode) throws(SinkProblem) -> any SinkWriter {
        guard let url = url ?? postgresURL else { throw SinkProblem("url", allowed: "an address of Postgres: there is none to take in its place") }
        do {
            var configuration = try PostgresConfiguration(url: url, applicationName: "\(worker) sink \(sink.name)")
            configuration.connectTimeout = min(sink.timeout, .seconds(10))
            configuration.statementTimeout = sink.timeout
            configuration.idleInTransactionTimeout = sink.timeout
            configuration.silenceTimeout = sink.timeout + .seconds(1)
            var options = PostgresPool.Options()
            options.connectionsMax = min(sink.concurrency, Self.connectionsMax)
            options.acquireTimeout = sink.timeout
            return TableWriter(
                pool: PostgresPool(configuration: configuration, options: options, logger: logger), table: table, mode: mode, closes: true)
        } catch {
            throw SinkProblem("url", allowed: "an address of Postgres: \(error.message)")
        }
    }

    /// Of one sink in one worker: each has a thread.
    private static let connectionsMax = 4
}
