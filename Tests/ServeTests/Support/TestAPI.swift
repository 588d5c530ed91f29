import AsyncHTTPClient
import Events
import Flow
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle

@testable import Serve

/// An API on a free port over stores in memory.
struct TestAPI {
    let log: MemoryLog
    let outlet: MemoryOutletStreams
    let repositories: MemoryRepositories
    let sinks: MemorySinks
    let subscriptions: MemorySubscriptions
    let port: Int
    let shutDown: @Sendable () async -> Void
    let metrics: PrometheusMetrics

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    func get(
        _ path: String, method: String = "GET", headers: [(String, String)] = []
    ) async throws -> (status: UInt, type: String, body: String) {
        var request = HTTPClientRequest(url: url(path))
        request.headers = HTTPHeaders(headers)
        request.method = .init(rawValue: method)
        let response = try await TestHTTP.client.execute(request, timeout: .minutes(5))
        let body = try await response.body.collect(upTo: 1 << 20)
        return (response.status.code, response.headers.first(name: "Content-Type") ?? "", String(buffer: body))
    }

    func post(
        _ path: String, _ body: String, headers: [(String, String)] = [("Content-Type", "application/json")]
    ) async throws -> (status: UInt, headers: HTTPHeaders, body: String) {
        var request = HTTPClientRequest(url: url(path))
        request.method = .POST
        request.headers = HTTPHeaders(headers)
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await TestHTTP.client.execute(request, timeout: .minutes(5))
        return (response.status.code, response.headers, String(buffer: try await response.body.collect(upTo: 4 << 20)))
    }

    /// Appends to the log and publishes.
    func append(_ events: [Events.LogEvent], keep: Int = .max) async {
        await log.append(events)
        await outlet.publish(events, keep: keep)
    }

    static var configuration: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.bind = "127.0.0.1:0"
        configuration.heartbeatEvery = .milliseconds(40)
        configuration.readyCache = .zero
        configuration.retry.base = .milliseconds(5)
        configuration.followBlock = .milliseconds(20)
        configuration.drainTimeout = .seconds(60)
        configuration.slowClientTimeout = .seconds(300)
        configuration.ackDebounce = .milliseconds(10)
        return configuration
    }

    static func run(
        _ configuration: ServerConfiguration = TestAPI.configuration, shards: Int = 4,
        scope: APIScope = APIScope(isTracking: true, allowsWrites: false), access: APIAccess = .off,
        newAccess: @escaping @Sendable () -> APIAccess? = { nil }, logger: Logger? = nil,
        _ body: @Sendable (TestAPI) async throws -> Void
    ) async throws {
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let logger = logger ?? quiet
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let (log, outlet, repositories, metrics) = (MemoryLog(), MemoryOutletStreams(), MemoryRepositories(), PrometheusMetrics())
        let (sinks, subscriptions) = (MemorySinks(), MemorySubscriptions())
        let service = try APIService(
            configuration: configuration, store: log, repositories: repositories, runs: log, subscriptions: subscriptions, sinks: sinks,
            outlet: outlet, levels: { nil }, shards: ShardMap(count: shards), scope: scope, access: access, newAccess: newAccess, readiness: nil,
            metrics: metrics,
            logger: logger, onBound: { bound.yield($0) })
        let group = ServiceGroup(services: [service], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { bound.finish() }
                try await group.run()
            }
            var iterator = ports.makeAsyncIterator()
            if let port = await iterator.next() {
                let api = TestAPI(
                    log: log, outlet: outlet, repositories: repositories, sinks: sinks, subscriptions: subscriptions, port: port,
                    shutDown: { await group.triggerGracefulShutdown() }, metrics: metrics)
                try await body(api)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}

/// Test events of a run: seqs from `from`, a terminal one at the end where asked.
func testEvents(_ run: RunID, from: Int64 = 1, count: Int, terminal: Bool = false, bytes: Int = 2) -> [Events.LogEvent] {
    (0..<Int64(count)).map { index in
        let seq = from + index
        if terminal, index == Int64(count) - 1 {
            return Events.LogEvent(run: run, seq: seq, kind: .terminal, did: "", body: Array(#"{"state":"finished"}"#.utf8))
        }
        let body = [UInt8(ascii: "\"")] + [UInt8](repeating: UInt8(ascii: "x"), count: bytes) + [UInt8(ascii: "\"")]
        return Events.LogEvent(
            run: run, seq: seq, kind: .record, did: "did:plc:\(seq % 3)", rev: "r\(seq)", collection: seq % 2 == 0 ? "a.b.even" : "a.b.odd",
            rkey: "k\(seq)", action: .create, cid: "c", body: body)
    }
}
