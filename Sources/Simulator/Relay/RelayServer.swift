import NIOCore
import NIOHTTP1
import NIOPosix

/// A relay: `/xrpc/com.atproto.sync.subscribeRepos?cursor=` as WebSocket. Other requests go to the repository host, as at real relays.
///
/// Or a labeler, whose stream is `/xrpc/com.atproto.label.subscribeLabels?cursor=`.
final class RelayServer: Sendable {
    static let relayPath = "/xrpc/com.atproto.sync.subscribeRepos"
    static let labelerPath = "/xrpc/com.atproto.label.subscribeLabels"

    let listener: HTTPListener
    private let core: NIOLoopBound<RelayCore>
    private let eventLoop: any EventLoop
    private let pingSeconds: Int

    private init(core: NIOLoopBound<RelayCore>, eventLoop: any EventLoop, pingSeconds: Int, listener: HTTPListener) {
        self.core = core
        self.eventLoop = eventLoop
        self.pingSeconds = pingSeconds
        self.listener = listener
    }

    /// Binds the relay's port; it accepts from then on.
    static func bind(
        seed: UInt64, index: Int, isLabeler: Bool = false, configuration: RelayConfiguration, bindHost: String, counters: FaultCounters,
        record: SentRecord, onSent: (@Sendable (_ did: String, _ rev: String) -> Void)? = nil, fallback: any HTTPResponder
    ) async throws(SimulatorError) -> RelayServer {
        let path = isLabeler ? labelerPath : relayPath
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let core: NIOLoopBound<RelayCore>
        do {
            core = try await eventLoop.submit {
                let core = RelayCore(
                    seed: seed, index: index, isLabeler: isLabeler, configuration: configuration, counters: counters, record: record,
                    eventLoop: eventLoop,
                    onSent: onSent)
                return NIOLoopBound(core, eventLoop: eventLoop)
            }.get()
        } catch {
            throw SimulatorError(code: .bindFailed, message: "the event loop has ended", entity: configuration.name, cause: "\(error)")
        }
        let listener = try await HTTPListener.bind(
            host: bindHost, port: configuration.port, group: eventLoop,
            responder: RelayResponder(path: path, core: core, eventLoop: eventLoop, next: fallback), webSocket: endpoint(core, path))
        return RelayServer(core: core, eventLoop: eventLoop, pingSeconds: configuration.pingSeconds, listener: listener)
    }

    /// Gives the relay messages and faults; returns how many bytes its slowest reader is behind.
    func publish(_ items: [RelayItem], orders: [FaultOrder] = []) async throws -> Int {
        try await eventLoop.submit { [core] in core.value.publish(items, orders: orders, now: .now()) }.get()
    }

    func status() async throws -> RelayStatus {
        let address = listener.address
        return try await eventLoop.submit { [core] in core.value.status(address: address) }.get()
    }

    /// Serves until cancelled, then says goodbye to its readers.
    func run() async throws {
        let pings = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(Int64(pingSeconds)), delay: .seconds(Int64(pingSeconds))) { [core] _ in
            core.value.pingAll()
        }
        defer {
            pings.cancel()
            eventLoop.execute { [core] in core.value.closeAll() }
        }
        try await listener.run()
    }

    /// The cursor of a request; throws where it is there and no number of the protocol.
    static func cursor(of uri: String) throws(SimulatorError) -> Int64? {
        guard let text = HTTPRequest(method: .GET, uri: uri).query["cursor"] else { return nil }
        guard let cursor = Int64(text), (0...(1 << 53)).contains(cursor) else {
            throw SimulatorError(code: .invalidValue, message: "not a sequence number", entity: "cursor")
        }
        return cursor
    }

    /// True where there is no cursor, too.
    static func hasValidCursor(_ uri: String) -> Bool {
        // Not `try?`, which cannot tell an absent cursor from a wrong one.
        do {
            _ = try cursor(of: uri)
            return true
        } catch {
            return false
        }
    }

    private static func endpoint(_ core: NIOLoopBound<RelayCore>, _ path: String) -> WebSocketEndpoint {
        WebSocketEndpoint(
            isAllowed: { head in
                let request = HTTPRequest(method: head.method, uri: head.uri)
                return request.path == path && hasValidCursor(head.uri) && !core.value.isRefusing(now: .now())
            },
            open: { channel, head in
                try channel.pipeline.syncOperations.addHandler(RelaySocket(), position: .first)
                try channel.pipeline.syncOperations.addHandler(RelayConnection(core: core.value, cursor: try cursor(of: head.uri)))
            })
    }
}
