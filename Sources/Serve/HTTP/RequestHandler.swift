import Events
import NIOCore
import NIOHTTP1

/// One connection while it asks for plain replies: one request at a time, in order; a stream takes it over.
///
/// Used on its event loop only. Bodies of requests are discarded, and a connection that sent one is closed after the reply.
final class RequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle(since: NIODeadline)
        case answering
        /// A stream takes over: what comes meanwhile is dropped.
        case leaving
        case closed
    }

    private let connections: LoopConnections
    private let isOneTooMany: Bool
    private var state = State.idle(since: .now())
    private var context: ChannelHandlerContext?
    private var head: HTTPRequestHead?
    private var hasBody = false
    /// Requests sent ahead of their turn.
    private var ahead: [HTTPRequestHead] = []

    private static let aheadMax = 16

    private var parts: ServerParts { connections.parts }

    init(connections: LoopConnections, isOneTooMany: Bool) {
        self.connections = connections
        self.isOneTooMany = isOneTooMany
    }

    var closeFuture: EventLoopFuture<Void>? { context?.channel.closeFuture }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connections.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        state = .closed
        self.context = nil
        connections.remove(self)
    }

    func channelActive(context: ChannelHandlerContext) {
        if isOneTooMany { parts.metrics.refusedConnection() }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard case .idle = state else {
                if ahead.count == Self.aheadMax { return close() }
                return ahead.append(head)
            }
            if isOneTooMany { refuse() } else { answer(head) }
        case .body: hasBody = true
        case .end: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let parserError = error as? HTTPParserError, case .idle = state else { return close() }
        let problem: Problem =
            switch parserError {
            case .headerOverflow:
                Problem(.headersTooLarge, "the header fields are too large", allowed: "at most \(parts.configuration.headerBytesMax) bytes")
            default: Problem(.badRequest, "this is not HTTP/1.1: \(parserError)")
            }
        write(problem.reply, keepsAlive: false)
    }

    func tick(_ now: NIODeadline) {
        let idleTimeout = isOneTooMany ? min(parts.configuration.idleTimeout, .seconds(2)) : parts.configuration.idleTimeout
        guard case .idle(let since) = state, now - since > TimeAmount(idleTimeout) else { return }
        close()
    }

    /// Closes after the reply under way; at once where there is none.
    func drain() {
        if case .idle = state { close() }
    }

    func close() {
        state = .closed
        context?.close(promise: nil)
    }

    /// Once its request is here: an answer that closes before would meet the request, and the reset would take the answer along.
    private func refuse() {
        write(
            Problem(.tooManyConnections, "this server has all the connections it allows", allowed: "\(parts.connections.limit)").reply,
            keepsAlive: false)
    }

    private func answer(_ head: HTTPRequestHead) {
        state = .answering
        self.head = head
        hasBody = head.headers.contains(name: "Content-Length") || head.headers.contains(name: "Transfer-Encoding")
        do {
            let request = try Request(method: head.method, target: head.uri, headers: head.headers)
            switch parts.responder.decide(request) {
            case .reply(let reply): write(reply, keepsAlive: true)
            case .compute(let work): compute(work)
            case .stream(let open): self.open(open)
            }
        } catch {
            write(error.reply, keepsAlive: true)
        }
    }

    private func compute(_ work: @escaping @Sendable () async -> HTTPReply) {
        let bound = NIOLoopBound(self, eventLoop: connections.eventLoop)
        let taken = parts.requests.submit {
            let reply = await work()
            bound.eventLoop.execute { bound.value.write(reply, keepsAlive: true) }
        }
        if !taken { write(Problem(.overloaded, "too many requests wait for an answer").reply, keepsAlive: false) }
    }

    private func open(_ open: @escaping @Sendable () async -> StreamOpening) {
        let bound = NIOLoopBound(self, eventLoop: connections.eventLoop)
        let taken = parts.requests.submit {
            let opening = await open()
            bound.eventLoop.execute {
                switch opening {
                case .refused(let reply): bound.value.write(reply, keepsAlive: true)
                case .accepted(let plan): bound.value.startStream(plan)
                }
            }
        }
        if !taken { write(Problem(.overloaded, "too many requests wait for an answer").reply, keepsAlive: false) }
    }

    private func write(_ reply: HTTPReply, keepsAlive: Bool) {
        guard let context, !isClosed else { return }
        let version = head?.version ?? .http1_1
        let stays = keepsAlive && !hasBody && !connections.isDraining && head?.isKeepAlive == true
        var headers = HTTPHeaders()
        headers.add(name: "Date", value: HTTPDate.now())
        if reply.status != .noContent {
            headers.add(name: "Content-Type", value: reply.contentType)
            headers.add(name: "Content-Length", value: String(reply.body.count))
        }
        for (name, value) in reply.headers { headers.add(name: name, value: value) }
        if !stays { headers.add(name: "Connection", value: "close") }
        parts.metrics.replied(reply.status.code)
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: version, status: reply.status, headers: headers))), promise: nil)
        if head?.method != .HEAD, !reply.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: reply.body)))), promise: nil)
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        guard stays else {
            state = .closed
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            return written.futureResult.whenComplete { _ in bound.value.close(promise: nil) }
        }
        state = .idle(since: .now())
        if !ahead.isEmpty { answer(ahead.removeFirst()) }
    }

    private var isClosed: Bool {
        if case .closed = state { return true }
        return false
    }

    /// Writes the head of an event stream, takes HTTP out of the pipeline, and puts the stream's handler in: an idle stream then costs
    /// a channel and that handler.
    private func startStream(_ plan: StreamPlan) {
        guard let context, !isClosed, let streaming = parts.streaming else { return }
        if connections.isDraining { return write(Problem(.unavailable, "this server is shutting down").reply, keepsAlive: false) }
        guard head?.version == .http1_1 else { return write(Problem(.badRequest, "streams need HTTP/1.1").reply, keepsAlive: false) }
        let isHeadOnly = head?.method == .HEAD
        let headers: HTTPHeaders = [
            "Date": HTTPDate.now(), "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
            "Connection": "close", "Transfer-Encoding": "chunked",
        ]
        parts.metrics.replied(200)
        state = .leaving
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))), promise: nil)
        if isHeadOnly { return close() }
        ahead = []
        let stream = StreamHandler(plan: plan, connections: connections, streaming: streaming)
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandler(stream, position: .last)
            let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
            let removed = [
                pipeline.removeHandler(context: decoder), pipeline.removeHandler(context: encoder), pipeline.removeHandler(context: context),
            ]
            let bound = NIOLoopBound(stream, eventLoop: context.eventLoop)
            EventLoopFuture.andAllComplete(removed, on: context.eventLoop).whenComplete { _ in bound.value.start() }
        } catch {
            close()
        }
    }
}
