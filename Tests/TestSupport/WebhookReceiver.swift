import Foundation
public import NIOCore
public import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A server that takes webhooks, and answers as a test says.
public final class WebhookReceiver: Sendable {
    public struct Call: Sendable {
        public var headers: HTTPHeaders
        public var body: [UInt8]
        public var run: String
        /// Seqs of the events in it.
        public var seqs: [Int64]
        /// Whether the server has them, whatever became of its answer.
        public var isTaken = false
    }

    public enum Answer: Sendable {
        case status(Int, headers: [(String, String)] = [])
        /// Takes the events, and never answers.
        case hang
        /// Takes the events, and answers when ``letGo()`` is called.
        case late
        /// Takes the events where the status is a 2xx, and answers after so long.
        case after(TimeAmount, Int)
        /// Answers that it took the events, and hangs up at once.
        case statusThenClose(Int)
        /// Hangs up without an answer.
        case close

        var takes: Bool {
            switch self {
            case .status(let status, _), .statusThenClose(let status), .after(_, let status): status / 100 == 2
            case .hang, .late: true
            case .close: false
            }
        }
    }

    private struct State {
        var calls: [Call] = []
        var taken: [String: [Int64]] = [:]
        var waiting: [@Sendable () -> Void] = []
        var atOnce: [String: Int] = [:]
        var mostAtOnce = 0
        var mostRuns = 0
        var listener: (any Channel)?
        var connections: [ObjectIdentifier: any Channel] = [:]
        var port = 0
    }

    private let state = Mutex(State())
    private let scheme: String
    private let tls: NIOSSLContext?
    private let answer: @Sendable (Call, Int) -> Answer

    private init(_ tls: NIOSSLContext?, _ answer: @escaping @Sendable (Call, Int) -> Answer) {
        self.tls = tls
        self.answer = answer
        scheme = tls == nil ? "http" : "https"
    }

    /// - Parameters:
    ///   - certificate: it speaks TLS, with this one.
    ///   - answer: given the call, and how many came before it.
    public static func with(
        certificate: TestCertificate? = nil, _ answer: @escaping @Sendable (Call, Int) -> Answer = { _, _ in .status(200) },
        _ body: (WebhookReceiver) async throws -> Void
    ) async throws {
        let tls = try certificate.map { certificate in
            try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: try NIOSSLCertificate.fromPEMFile(certificate.certificatePath).map { .certificate($0) },
                    privateKey: .privateKey(try NIOSSLPrivateKey(file: certificate.keyPath, format: .pem))))
        }
        let receiver = WebhookReceiver(tls, answer)
        try await receiver.open()
        do {
            try await body(receiver)
        } catch {
            await receiver.stop()
            throw error
        }
        await receiver.stop()
    }

    /// Listens (again), on the port that it had.
    public func open() async throws {
        let tls = tls
        let port = port == 0 ? try FreePort.choose() : port
        let socket = try Self.boundSocket(port)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(WebhookConnection(self))
                }
            }
            .withBoundSocket(socket).get()
        state.withLock { state in
            state.listener = channel
            state.port = channel.localAddress?.port ?? 0
        }
    }

    /// Not passed on to child processes, which would go on listening in the place of this one.
    private static func boundSocket(_ port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestSupportError("socket: errno \(errno)") }
        var (address, reuse) = (sockaddr_in(), Int32(1))
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard status == 0 else {
            let failure = errno
            close(descriptor)
            throw TestSupportError("bind to \(port): errno \(failure)")
        }
        return descriptor
    }

    /// Nobody listens any more, and every connection is ended.
    public func stop() async {
        letGo()
        let (listener, connections) = state.withLock { state in
            defer { state.listener = nil }
            return (state.listener, Array(state.connections.values))
        }
        try? await listener?.close()
        for connection in connections { try? await connection.close() }
    }

    public var port: Int { state.withLock { $0.port } }
    public var url: String { "\(scheme)://127.0.0.1:\(port)/hook?a=b" }
    public var calls: [Call] { state.withLock { $0.calls } }
    /// Seqs of the events that were taken, by run, as they came: also those whose answer never got through.
    public var taken: [String: [Int64]] { state.withLock { $0.taken } }
    /// Calls of one run that were open at the same time, at most; runs that were delivered at the same time, at most.
    public var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }
    public var mostRuns: Int { state.withLock { $0.mostRuns } }

    /// Answers all calls that wait.
    public func letGo() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for answer in waiting { answer() }
    }

    func came(_ call: Call) -> Answer {
        state.withLock { state in
            let answer = answer(call, state.calls.count)
            state.calls.append(call)
            state.calls[state.calls.endIndex - 1].isTaken = answer.takes
            if answer.takes { state.taken[call.run, default: []] += call.seqs }
            state.atOnce[call.run, default: 0] += 1
            state.mostAtOnce = max(state.mostAtOnce, state.atOnce[call.run] ?? 0)
            state.mostRuns = max(state.mostRuns, state.atOnce.values.count { $0 > 0 })
            return answer
        }
    }

    func answered(_ run: String) { state.withLock { $0.atOnce[run, default: 0] -= 1 } }
    func wait(_ answer: @escaping @Sendable () -> Void) { state.withLock { $0.waiting.append(answer) } }
    func opened(_ channel: any Channel) { state.withLock { $0.connections[ObjectIdentifier(channel)] = channel } }
    func closed(_ channel: any Channel) { state.withLock { $0.connections[ObjectIdentifier(channel)] = nil } }
}
