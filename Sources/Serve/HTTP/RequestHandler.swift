import Broker
import DequeModule
import Events
import Ledger
import NIOCore
import NIOHTTP1
import NIOWebSocket

/// One connection while it asks for plain replies: one request at a time, in order; a stream takes it over.
///
/// Used on its event loop only. A body is read where its path takes one, within bounds of bytes and time; a connection whose request was answered
/// before its body was here is closed, once the client has had time to read the answer.
final class RequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle(since: NIODeadline)
        /// The body of a request is coming.
        case reading
        case answering
        /// A stream takes over: what comes meanwhile is dropped.
        case leaving
        /// The last answer is written, and the client is still sending: what comes is dropped, since a reset would take the answer along.
        case lingering(since: NIODeadline)
        case closed
    }

    private let connections: LoopConnections
    private let isOneTooMany: Bool
    private let account: ConnectionAccount
    private var state = State.idle(since: .now())
    private var context: ChannelHandlerContext?
    private var head: HTTPRequestHead?
    /// Of the request under way; its bytes count until it is answered.
    private var body: RequestBody?
    /// Whether the request under way has a body that was not read to its end.
    private var isUnread = false
    /// What was sent ahead of its turn. While there is any of it, nothing more is read.
    private var ahead: Deque<HTTPServerRequestPart> = []
    private var headsAhead = 0
    private var isPaused = false

    private static let headsAheadMax = 16
    private static let lingerTimeout: TimeAmount = .seconds(2)

    private var parts: ServerParts { connections.parts }

    init(connections: LoopConnections, isOneTooMany: Bool, account: ConnectionAccount = ConnectionAccount()) {
        self.connections = connections
        self.account = account
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
        endBody()
        connections.remove(self)
    }

    func channelActive(context: ChannelHandlerContext) {
        if isOneTooMany { parts.metrics.refusedConnection() }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch state {
        case .idle, .reading: take(part)
        case .answering: keep(part)
        case .leaving, .lingering, .closed: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let parserError = error as? HTTPParserError else { return close() }
        switch state {
        case .idle, .reading: break
        default: return close()
        }
        let problem: Problem =
            switch parserError {
            case .headerOverflow:
                Problem(.headersTooLarge, "the header fields are too large", allowed: "at most \(parts.configuration.headerBytesMax) bytes")
            default: Problem(.badRequest, "this is not HTTP/1.1: \(parserError)")
            }
        write(problem.reply, keepsAlive: false)
    }

    func tick(_ now: NIODeadline) {
        switch state {
        case .idle(let since):
            let timeout = isOneTooMany ? min(parts.configuration.idleTimeout, .seconds(2)) : parts.configuration.idleTimeout
            if now - since > TimeAmount(timeout) { close() }
        case .reading:
            let timeout = parts.configuration.bodyTimeout
            guard let body, now - body.since > TimeAmount(timeout) else { return }
            write(Problem(.bodyTooSlow, "the body was not here in time", allowed: "\(timeout.milliseconds) ms").reply, keepsAlive: false)
        case .lingering(let since): if now - since > Self.lingerTimeout { close() }
        case .answering, .leaving, .closed: break
        }
    }

    /// Closes after the reply under way; at once where there is none.
    func drain() {
        switch state {
        case .idle, .lingering: close()
        case .reading: write(Problem(.unavailable, "this server is shutting down").reply, keepsAlive: false)
        case .answering, .leaving, .closed: break
        }
    }

    func close() {
        state = .closed
        context?.close(promise: nil)
    }

    // MARK: - What comes in

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): if isOneTooMany { refuse(head) } else { answer(head) }
        case .body(let buffer):
            guard case .reading = state else { return }
            switch body?.append(buffer) {
            case .tooLarge: write(tooLarge().reply, keepsAlive: false)
            case .noRoom: write(Problem(.overloaded, "too many bodies are being read").reply, keepsAlive: false)
            case nil: break
            }
        case .end:
            guard case .reading = state, let body else { return }
            isUnread = false
            state = .answering
            compute(changing: body.run) { await body.work(body.bytes) }
        }
    }

    /// Until the request under way is answered.
    private func keep(_ part: HTTPServerRequestPart) {
        if case .head = part {
            guard headsAhead < Self.headsAheadMax else { return close() }
            headsAhead += 1
        } else if ahead.isEmpty {
            // The end of the request that is under way.
            return
        }
        ahead.append(part)
        pause(true)
    }

    private func goOn() {
        while let part = ahead.first {
            switch state {
            case .idle, .reading: break
            default: return
            }
            ahead.removeFirst()
            if case .head = part { headsAhead -= 1 }
            take(part)
        }
        pause(false)
    }

    private func dropAhead() {
        ahead = []
        headsAhead = 0
        pause(false)
    }

    private func pause(_ pauses: Bool) {
        guard pauses != isPaused else { return }
        isPaused = pauses
        // Fails only where the channel is closed.
        try? context?.channel.syncOptions?.setOption(.autoRead, value: !pauses)
    }

    private func endBody() {
        body?.end()
        body = nil
    }

    // MARK: - Answers

    /// Once its request is here: an answer that closes before would meet the request, and the reset would take the answer along.
    private func refuse(_ head: HTTPRequestHead) {
        isUnread = BodyHeaders(head.headers).isThere
        write(
            Problem(.tooManyConnections, "this server has all the connections it allows", allowed: "\(parts.connections.limit)").reply,
            keepsAlive: false)
    }

    private func answer(_ head: HTTPRequestHead) {
        state = .answering
        self.head = head
        do {
            let request = try Request(
                method: head.method, target: head.uri, headers: head.headers, localPort: context?.channel.localAddress?.port, connection: account)
            isUnread = request.body.isThere
            switch parts.responder.decide(request) {
            case .receive(let run, let work): receive(request.body, changing: run, work)
            case .reply(let reply) where reply.status.code >= 400 || !isUnread: write(reply, keepsAlive: true)
            case _ where isUnread: write(Problem(.bodyNotAllowed, "this path takes no body", given: request.path).reply, keepsAlive: false)
            case .reply(let reply): write(reply, keepsAlive: true)
            case .compute(let work): compute(work)
            case .stream(let open): if request.wantsWebSocket { shakeHands(head, open) } else { self.open(open, headers: nil) }
            }
        } catch {
            isUnread = BodyHeaders(head.headers).isThere
            write(error.reply, keepsAlive: true)
        }
    }

    private func receive(_ headers: BodyHeaders, changing run: RunID?, _ work: @escaping @Sendable ([UInt8]) async -> HTTPReply) {
        guard headers.isThere else { return compute(changing: run) { await work([]) } }
        guard headers.length ?? 0 <= parts.configuration.bodyBytesMax else { return write(tooLarge().reply, keepsAlive: false) }
        // Before HTTP/1.1 the field meant nothing (RFC 9110 §10.1.1).
        if let expectation = headers.expectation, head?.version == .http1_1 {
            guard expectation == "100-continue" else {
                let problem = Problem(.expectationFailed, "this cannot be expected", parameter: "Expect", given: expectation, allowed: "100-continue")
                return write(problem.reply, keepsAlive: false)
            }
            context?.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
        body = RequestBody(work: work, run: run, bytesMax: parts.configuration.bodyBytesMax, budget: parts.bodies, since: .now())
        state = .reading
    }

    private func tooLarge() -> Problem {
        Problem(.bodyTooLarge, "the body is too large", allowed: "at most \(parts.configuration.bodyBytesMax) bytes")
    }

    /// - Parameter run: that the request changes; nil: none.
    private func compute(changing run: RunID? = nil, _ work: @escaping @Sendable () async -> HTTPReply) {
        let bound = NIOLoopBound(self, eventLoop: connections.eventLoop)
        let job: JobQueue.Job = {
            let reply = await work()
            bound.eventLoop.execute { bound.value.write(reply, keepsAlive: true) }
        }
        if let run {
            return parts.lanes.submit(run, job) {
                bound.eventLoop.execute { bound.value.write(Problem.busy(run).reply, keepsAlive: true) }
            }
        }
        if !parts.requests.submit(job) { write(Problem(.overloaded, "too many requests wait for an answer").reply, keepsAlive: false) }
    }

    /// Checks what a WebSocket's client has to say before anything is opened for it.
    ///
    /// The answer is NIO's; its handler of upgrades is not in the pipeline: it takes the first request of a connection only, and its encoder
    /// makes each client's frames anew, where here all clients at one place are sent the same bytes.
    private func shakeHands(_ head: HTTPRequestHead, _ open: @escaping @Sendable () async -> StreamOpening) {
        guard let context else { return }
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        let bound = NIOLoopBound(self, eventLoop: connections.eventLoop)
        upgrader.buildUpgradeResponse(channel: context.channel, upgradeRequest: head, initialResponseHeaders: [:]).whenComplete { result in
            switch result {
            case .success(let headers): bound.value.open(open, headers: headers)
            case .failure:
                let problem = Problem(
                    .badHandshake, "this is no handshake of a WebSocket", allowed: "one Sec-WebSocket-Key, and Sec-WebSocket-Version: 13")
                bound.value.write(problem.reply, keepsAlive: false)
            }
        }
    }

    /// - Parameter headers: of a WebSocket's answer; nil: an event stream.
    private func open(_ open: @escaping @Sendable () async -> StreamOpening, headers: HTTPHeaders?) {
        let bound = NIOLoopBound(self, eventLoop: connections.eventLoop)
        let taken = parts.requests.submit {
            let opening = await open()
            bound.eventLoop.execute {
                switch opening {
                case .refused(let reply): bound.value.write(reply, keepsAlive: true)
                case .accepted(let plan): bound.value.startStream(plan, upgrade: headers)
                }
            }
        }
        if !taken { write(Problem(.overloaded, "too many requests wait for an answer").reply, keepsAlive: false) }
    }

    private func write(_ reply: HTTPReply, keepsAlive: Bool) {
        guard let context, !isClosed else { return }
        endBody()
        let version = head?.version ?? .http1_1
        let isAtEnd = head.map { Request.asksForUpgrade($0.headers) } ?? true
        let stays = keepsAlive && !isUnread && !isAtEnd && !connections.isDraining && head?.isKeepAlive == true
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
        guard stays else { return end(after: written.futureResult, context) }
        state = .idle(since: .now())
        goOn()
    }

    private func end(after written: EventLoopFuture<Void>, _ context: ChannelHandlerContext) {
        state = isUnread ? .lingering(since: .now()) : .closed
        let mode: CloseMode = isUnread ? .output : .all
        dropAhead()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        written.whenComplete { _ in bound.value.close(mode: mode, promise: nil) }
    }

    private var isClosed: Bool {
        switch state {
        case .closed, .lingering: true
        case .idle, .reading, .answering, .leaving: false
        }
    }

    /// Writes the head of a stream, takes HTTP out of the pipeline, and puts the stream's handler in: an idle stream then costs
    /// a channel and that handler, a WebSocket also what splits its client's frames.
    ///
    /// - Parameter upgrade: of a WebSocket's answer; nil: an event stream.
    private func startStream(_ plan: StreamPlan, upgrade: HTTPHeaders?) {
        guard let context, !isClosed, let streaming = parts.streaming else { return }
        if connections.isDraining { return write(Problem(.unavailable, "this server is shutting down").reply, keepsAlive: false) }
        guard head?.version == .http1_1 else { return write(Problem(.badRequest, "streams need HTTP/1.1").reply, keepsAlive: false) }
        let isHeadOnly = head?.method == .HEAD
        let status: HTTPResponseStatus = upgrade == nil ? .ok : .switchingProtocols
        let headers: HTTPHeaders =
            upgrade ?? [
                "Date": HTTPDate.now(), "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
                "Connection": "close", "Transfer-Encoding": "chunked",
            ]
        parts.metrics.replied(status.code)
        noteReconnect(plan, streaming)
        state = .leaving
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        if isHeadOnly { return close() }
        dropAhead()
        let stream = StreamHandler(plan: plan, connections: connections, streaming: streaming, account: account)
        do {
            let pipeline = context.pipeline.syncOperations
            if upgrade != nil {
                try pipeline.addHandler(ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: WebSocketInbox.messageBytesMax)), position: .last)
            }
            try pipeline.addHandler(stream, position: .last)
            let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
            let removed = [
                pipeline.removeHandler(context: context), pipeline.removeHandler(context: decoder), pipeline.removeHandler(context: encoder),
            ]
            let bound = NIOLoopBound(stream, eventLoop: context.eventLoop)
            EventLoopFuture.andAllComplete(removed, on: context.eventLoop).whenComplete { _ in bound.value.start() }
        } catch {
            close()
        }
    }

    /// A client that was here before: it says what it has, or has a subscription.
    private func noteReconnect(_ plan: StreamPlan, _ streaming: ServerParts.Streaming) {
        let subscription = plan.subscription.flatMap { $0.connection > 1 ? $0.key.name : nil }
        let address = head?.headers.first(name: "Last-Event-ID").flatMap { $0.isEmpty ? nil : context?.channel.remoteAddress?.ipAddress }
        guard let client = subscription ?? address, let run = plan.runs.first else { return }
        let topic = plan.isMerged ? run.description.prefix { $0 != "/" } + "/*" : run.description
        streaming.flapping.opened(client: client, topic: String(topic), now: .current)
    }
}
