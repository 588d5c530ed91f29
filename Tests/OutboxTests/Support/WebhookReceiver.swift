import ATProto
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A server that takes webhooks, and answers as a test says.
final class WebhookReceiver: Sendable {
    struct Call: Sendable {
        var headers: HTTPHeaders
        var body: [UInt8]
        /// Seqs of the events in it.
        var seqs: [Int64]
        var run: String
    }

    enum Answer: Sendable {
        case status(Int, headers: [(String, String)] = [])
        /// Takes the events, and never answers.
        case hang
        /// Takes the events, and answers when ``letGo()`` is called.
        case late
        /// Answers that it took the events, and hangs up at once.
        case statusThenClose(Int)
        /// Hangs up without an answer.
        case close
    }

    private struct State {
        var calls: [Call] = []
        var taken: [String: [Int64]] = [:]
        var waiting: [@Sendable () -> Void] = []
        var atOnce: [String: Int] = [:]
        var mostAtOnce = 0
        var mostRuns = 0
    }

    private let state = Mutex(State())
    private let channel: Mutex<(any Channel)?> = Mutex(nil)
    private let answer: @Sendable (Call, Int) -> Answer

    private init(_ answer: @escaping @Sendable (Call, Int) -> Answer) { self.answer = answer }

    /// - Parameter answer: given the call, and how many came before it.
    static func with(
        _ answer: @escaping @Sendable (Call, Int) -> Answer = { _, _ in .status(200) }, _ body: (WebhookReceiver) async throws -> Void
    ) async throws {
        let receiver = WebhookReceiver(answer)
        try await receiver.open(port: 0)
        do {
            try await body(receiver)
        } catch {
            await receiver.stop()
            throw error
        }
        await receiver.stop()
    }

    private func open(port: Int) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(WebhookConnection(self))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        self.channel.withLock { $0 = channel }
    }

    var port: Int { channel.withLock { $0?.localAddress?.port ?? 0 } }
    var url: String { "http://127.0.0.1:\(port)/hook?a=b" }
    var calls: [Call] { state.withLock { $0.calls } }
    /// Seqs of the events that were taken, by run, as they came: also those whose answer never got through.
    var taken: [String: [Int64]] { state.withLock { $0.taken } }
    /// Calls of one run that were open at the same time, at most; runs that were delivered at the same time, at most.
    var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }
    var mostRuns: Int { state.withLock { $0.mostRuns } }

    func stop() async {
        letGo()
        try? await channel.withLock { $0 }?.close()
    }

    /// Answers all calls that wait.
    func letGo() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for answer in waiting { answer() }
    }

    fileprivate func came(_ call: Call) -> Answer {
        state.withLock { state in
            let answer = answer(call, state.calls.count)
            state.calls.append(call)
            switch answer {
            case .status(let status, _), .statusThenClose(let status): if status / 100 == 2 { state.taken[call.run, default: []] += call.seqs }
            case .hang, .late: state.taken[call.run, default: []] += call.seqs
            case .close: break
            }
            state.atOnce[call.run, default: 0] += 1
            state.mostAtOnce = max(state.mostAtOnce, state.atOnce[call.run] ?? 0)
            state.mostRuns = max(state.mostRuns, state.atOnce.values.count { $0 > 0 })
            return answer
        }
    }

    fileprivate func answered(_ run: String) { state.withLock { $0.atOnce[run, default: 0] -= 1 } }
    fileprivate func wait(_ answer: @escaping @Sendable () -> Void) { state.withLock { $0.waiting.append(answer) } }
}

private final class WebhookConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let receiver: WebhookReceiver
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ receiver: WebhookReceiver) { self.receiver = receiver }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, body) = (head, [])
        case .body(let bytes): body += bytes.readableBytesView
        case .end: end(context)
        }
    }

    private func end(_ context: ChannelHandlerContext) {
        let tree = try? JSONValue(parsing: body)
        let seqs: [Int64] = (tree?["events"]?.array ?? []).compactMap { event in
            guard case .integer(let seq) = event["seq"] else { return nil }
            return seq
        }
        let run = tree?["run"]?.string ?? ""
        let answer = receiver.came(WebhookReceiver.Call(headers: head?.headers ?? [:], body: body, seqs: seqs, run: run))
        switch answer {
        case .status(let status, let headers): write(context, status, headers, run, closes: false)
        case .statusThenClose(let status): write(context, status, [], run, closes: true)
        case .close:
            receiver.answered(run)
            context.close(promise: nil)
        case .hang: receiver.answered(run)
        case .late:
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            receiver.wait { [loop = context.eventLoop] in
                loop.execute {
                    let (connection, context) = bound.value
                    connection.write(context, 200, [], run, closes: false)
                }
            }
        }
    }

    private func write(_ context: ChannelHandlerContext, _ status: Int, _ headers: [(String, String)], _ run: String, closes: Bool) {
        receiver.answered(run)
        var fields = HTTPHeaders(headers)
        fields.add(name: "content-length", value: "0")
        if closes { fields.add(name: "connection", value: "close") }
        let head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        if closes { context.close(promise: nil) }
    }
}
