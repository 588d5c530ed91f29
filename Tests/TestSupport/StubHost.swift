public import NIOCore
import NIOPosix
public import NIOSSL
import Synchronization

/// What a stub host does with a request, step by step.
public enum StubStep: Sendable, CustomStringConvertible {
    case send([UInt8])
    /// The same bytes again and again, this often, with a pause between.
    case drip([UInt8], every: TimeAmount, times: Int)
    /// So many bytes of zero, no faster than they are taken.
    case flood(Int)
    /// Nothing more, until the other side goes away.
    case hang
    case close

    public static func text(_ text: String) -> StubStep { .send(Array(text.utf8)) }

    /// A whole answer.
    public static func answer(
        _ status: Int = 200, _ body: String = "", type: String = "application/json", headers: [(String, String)] = []
    ) -> [StubStep] {
        let lines = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
        return [.text("HTTP/1.1 \(status) X\r\ncontent-type: \(type)\r\ncontent-length: \(body.utf8.count)\r\n\(lines)\r\n\(body)")]
    }

    public var description: String {
        switch self {
        case .send(let bytes): "send \(String(decoding: bytes.prefix(40), as: UTF8.self))"
        case .drip(_, _, let times): "drip \(times)"
        case .flood(let count): "flood \(count)"
        case .hang: "hang"
        case .close: "close"
        }
    }

    /// The head of an archive's answer.
    public static func archive(length: Int) -> StubStep {
        .text("HTTP/1.1 200 OK\r\ncontent-type: application/vnd.ipld.car\r\ncontent-length: \(length)\r\n\r\n")
    }

    /// An archive; where `cutAt` is given the connection ends behind so many of its bytes.
    public static func archive(_ bytes: [UInt8], cutAt: Int? = nil) -> [StubStep] {
        guard let cutAt else { return [archive(length: bytes.count), .send(bytes)] }
        return [archive(length: bytes.count), .send(Array(bytes.prefix(cutAt))), .close]
    }
}

/// A host of the test's own on the loopback address, which answers each request as it is told to, byte for byte.
public final class StubHost: Sendable {
    public struct Request: Sendable {
        public var target: String
        /// All header lines, in lower case.
        public var headers: [String]
    }

    public struct Seen: Sendable {
        public var requests: [Request] = []
        public var connections = 0
        public var open = 0
        /// Bytes that were written to sockets.
        public var sent = 0
        /// Times that a flood had to wait for its reader.
        public var stalls = 0
    }

    private let state = Mutex(Seen())
    private let changes = Mutex<[(@Sendable (Seen) -> Bool, CheckedContinuation<Void, Never>)]>([])
    private let listener = Mutex<(any Channel)?>(nil)
    fileprivate let respond: @Sendable (Request) -> [StubStep]

    private init(respond: @escaping @Sendable (Request) -> [StubStep]) { self.respond = respond }

    public static func start(on address: String = "127.0.0.1", tls: NIOSSLContext? = nil, _ respond: @escaping @Sendable (Request) -> [StubStep])
        async throws -> StubHost
    {
        let host = StubHost(respond: respond)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(StubConnection(host))
                }
            }
            .bind(host: address, port: 0).get()
        host.listener.withLock { $0 = channel }
        return host
    }

    public var port: Int { listener.withLock { $0?.localAddress?.port ?? 0 } }
    public var seen: Seen { state.withLock { $0 } }

    public func stop() async { try? await listener.withLock { $0 }?.close() }

    /// Waits for what the host is to have seen.
    public func wait(until condition: @escaping @Sendable (Seen) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isMet = state.withLock { seen in
                if condition(seen) { return true }
                changes.withLock { $0.append((condition, continuation)) }
                return false
            }
            if isMet { continuation.resume() }
        }
    }

    fileprivate func change(_ change: (inout Seen) -> Void) {
        let met = state.withLock { seen in
            change(&seen)
            return changes.withLock { waiting in
                let met = waiting.filter { $0.0(seen) }.map(\.1)
                waiting.removeAll { $0.0(seen) }
                return met
            }
        }
        for continuation in met { continuation.resume() }
    }
}

private final class StubConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let host: StubHost
    private var received: [UInt8] = []
    private var steps: ArraySlice<StubStep> = []
    /// Bytes of a flood that are still to be sent.
    private var flood = 0

    init(_ host: StubHost) { self.host = host }

    func channelActive(context: ChannelHandlerContext) {
        host.change {
            $0.connections += 1
            $0.open += 1
        }
    }

    func channelInactive(context: ChannelHandlerContext) { host.change { $0.open -= 1 } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += unwrapInboundIn(data).readableBytesView
        let text = String(decoding: received, as: UTF8.self)
        guard text.hasSuffix("\r\n\r\n") else { return }
        received = []
        let lines = text.split(separator: "\r\n").map(String.init)
        let words = lines.first?.split(separator: " ").map(String.init) ?? []
        guard words.count == 3 else { return context.close(promise: nil) }
        let request = StubHost.Request(target: words[1], headers: lines.dropFirst().map { $0.lowercased() })
        host.change { $0.requests.append(request) }
        steps = host.respond(request)[...]
        next(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, flood > 0 { pour(context) }
        context.fireChannelWritabilityChanged()
    }

    private func next(_ context: ChannelHandlerContext) {
        switch steps.popFirst() {
        case nil, .hang: break
        case .send(let bytes):
            write(bytes.count, ByteBuffer(bytes: bytes), context)
            next(context)
        case .drip(let bytes, let pause, let times): drip(bytes, pause, times, context)
        case .flood(let count):
            flood = count
            pour(context)
        case .close: context.close(promise: nil)
        }
    }

    private func write(_ count: Int, _ buffer: ByteBuffer, _ context: ChannelHandlerContext) {
        let host = host
        context.writeAndFlush(wrapOutboundOut(buffer)).whenSuccess { host.change { $0.sent += count } }
    }

    private func drip(_ bytes: [UInt8], _ pause: TimeAmount, _ times: Int, _ context: ChannelHandlerContext) {
        guard times > 0, context.channel.isActive else { return next(context) }
        write(bytes.count, ByteBuffer(bytes: bytes), context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: pause) {
            let (handler, context) = bound.value
            handler.drip(bytes, pause, times - 1, context)
        }
    }

    private func pour(_ context: ChannelHandlerContext) {
        while flood > 0, context.channel.isActive, context.channel.isWritable {
            let count = min(flood, 64 << 10)
            flood -= count
            write(count, ByteBuffer(repeating: 0, count: count), context)
        }
        if flood == 0 { next(context) } else { host.change { $0.stalls += 1 } }
    }
}
