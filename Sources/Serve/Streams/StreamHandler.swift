import Broker
import Events
import Flow
import Logging
import NIOCore
import NIOWebSocket

/// One event stream, over SSE or a WebSocket: takes what its runs have while its socket takes it, and reads on by itself where they no longer have it.
///
/// Used on its event loop only. It keeps nothing but where its client stands: what waits to be sent is in the channel, up to the
/// configured bytes and one chunk; above that it takes nothing, and when that lasts it closes with a reason.
final class StreamHandler: ChannelInboundHandler, RemovableChannelHandler {
    // Of a WebSocket. Bytes that a client of SSE sends after its request are dropped without being looked at.
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = ByteBuffer

    let plan: StreamPlan
    private let connections: LoopConnections
    private let streaming: ServerParts.Streaming
    private let account: ConnectionAccount
    /// From when it is in the pipeline, in the order of the plan.
    private var topics: [OutletTopic] = []
    private var renderer: StreamRenderer
    private var context: ChannelHandlerContext?
    private var hasStarted = false
    private var isCatchingUp = false
    private var hasEnded = false
    private var nextBehind = 0
    private var wroteAt = NIODeadline.now()
    private var fullSince: NIODeadline?
    private var inbox = WebSocketInbox()

    private var configuration: ServerConfiguration { connections.parts.configuration }

    init(plan: StreamPlan, connections: LoopConnections, streaming: ServerParts.Streaming, account: ConnectionAccount) {
        self.plan = plan
        self.account = account
        self.connections = connections
        self.streaming = streaming
        renderer = StreamRenderer(isMerged: plan.isMerged, wire: plan.wire, selection: plan.selection, positions: plan.positions)
    }

    var closeFuture: EventLoopFuture<Void>? { context?.channel.closeFuture }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        topics = plan.runs.map(streaming.board.join)
        connections.add(self)
        _ = streaming.clients.enter()
        streaming.metrics.open(now: streaming.clients.now)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        connections.remove(self)
        for run in plan.runs { streaming.board.leave(run, now: .current) }
        if let subscription = plan.subscription { streaming.subscriptions.detach(subscription) }
        streaming.clients.leave()
        streaming.metrics.closed(now: streaming.clients.now)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if plan.wire == .webSocket { received(unwrapInboundIn(data)) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error as? NIOWebSocketError {
        case .invalidFrameLength: end(.tooLarge)
        case .fragmentedControlFrame, .multiByteControlFrameLength: end(.protocolError("a control frame that is too long, or in fragments"))
        case nil: close()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            fullSince = nil
            pump()
        } else {
            fullSince = fullSince ?? .now()
        }
    }

    /// HTTP is out of the pipeline: from here on bytes go out as they are.
    func start() {
        guard let context else { return }
        hasStarted = true
        let high = configuration.streamBufferBytes
        let mark = ChannelOptions.Types.WriteBufferWaterMark(low: max(1, high / 4), high: high)
        context.channel.setOption(ChannelOptions.writeBufferWaterMark, value: mark).whenFailure { _ in }
        let retry = jitteredRetry.milliseconds
        switch plan.wire {
        case .sse: write { SSEWriter.appendRetry(milliseconds: Int(retry), comment: "weir", to: &$0) }
        case .webSocket: write { WebSocketWriter.appendOpening(id: renderer.id, retryMs: retry, to: &$0) }
        }
        if plan.isOver { return end(.terminal) }
        if let subscription = plan.subscription, !hold(subscription) { return end(.takenOver) }
        pump()
    }

    /// False where a newer client has the subscription.
    private func hold(_ subscription: SubscriptionBoard.Handle) -> Bool {
        let bound = NIOLoopBound(self, eventLoop: connections.eventLoop)
        return streaming.subscriptions.attach(subscription) { end in bound.eventLoop.execute { bound.value.end(end) } }
    }

    /// Sends what the topics have from here on, until the socket is full or there is nothing; then reads on where they do not have it.
    func pump() {
        guard hasStarted, !hasEnded, let context else { return }
        var behind: [Int] = []
        while context.channel.isWritable, !hasEnded {
            let chunk = connections.chunk(renderer, of: plan.runs, topics: topics)
            behind = chunk.behind
            guard chunk.moved else { break }
            take(chunk)
        }
        for (index, published) in plan.published.enumerated() where renderer.positions[index] < published && !behind.contains(index) {
            behind.append(index)
        }
        if !behind.isEmpty, !isCatchingUp, !hasEnded, context.channel.isWritable { catchUp(behind) }
    }

    func tick(_ now: NIODeadline) {
        guard hasStarted, !hasEnded else { return }
        if account.isRevoked { return end(.revoked) }
        if let since = fullSince, now - since > TimeAmount(configuration.slowClientTimeout) {
            streaming.metrics.closedSlow()
            let detail = "the client took nothing for \(configuration.slowClientTimeout)"
            connections.parts.logger.info("slow client closed", metadata: ["run": "\(plan.runs.first?.description ?? "")"])
            return end(.slow(detail), grace: .seconds(1))
        }
        guard fullSince == nil, now - wroteAt >= TimeAmount(configuration.heartbeatEvery) else { return }
        switch plan.wire {
        case .sse: write { SSEWriter.appendHeartbeat(id: renderer.id, to: &$0) }
        case .webSocket: write { WebSocketWriter.appendHeartbeat(id: renderer.id, to: &$0) }
        }
        // Also where no word of something new came: a read that failed, a topic that others let go.
        pump()
    }

    /// Tells the client when to come back, and ends.
    func drain() { end(.shuttingDown(retryMs: jitteredRetry.milliseconds)) }

    func close() {
        hasEnded = true
        context?.close(promise: nil)
    }

    /// Clients that were cut off together do not come back together.
    private var jitteredRetry: Duration { configuration.retryAfter * Double.random(in: 1...2) }

    private func take(_ chunk: StreamChunk) {
        renderer = chunk.renderer
        streaming.metrics.wrote(chunk)
        if chunk.ends {
            end(.terminal, grace: .seconds(30), firstChunk: chunk.bytes)
        } else if let bytes = chunk.bytes {
            send(bytes)
        }
        if chunk.events > 0 { streaming.seams.reached(.serveMidStream) }
    }

    /// One bounded step of reading for one of the runs; the next begins when its bytes are out.
    private func catchUp(_ behind: [Int]) {
        let index = behind.first { $0 >= nextBehind } ?? behind[0]
        nextBehind = index + 1
        isCatchingUp = true
        let run = plan.runs[index]
        let position = renderer.positions[index]
        let reader = streaming.reader
        let bound = NIOLoopBound(self, eventLoop: connections.eventLoop)
        let taken = connections.parts.catchUps.submit {
            var step: LogReader.Step?
            do { step = try await reader.step(run: run, after: position) } catch {}
            let read = step
            bound.eventLoop.execute { bound.value.caughtUp(read, index) }
        }
        if !taken { pumpLater() }
    }

    private func caughtUp(_ step: LogReader.Step?, _ index: Int) {
        guard !hasEnded else { return }
        guard let step else {
            streaming.metrics.failed()
            return pumpLater()
        }
        streaming.metrics.read(step)
        take(StreamChunk(renderer, items: step.items, of: index))
        if step.isCaughtUp {
            if topics[index].activate(at: renderer.positions[index]) {
                streaming.board.activated()
            } else if case .behind = topics[index].slice(after: renderer.positions[index], limit: 1) {
                // Neither source has it yet, though a peer is past it: no reason to ask without pause.
                return pumpLater()
            }
        }
        isCatchingUp = false
        pump()
    }

    private func pumpLater() {
        let bound = NIOLoopBound(self, eventLoop: connections.eventLoop)
        let delay = configuration.retry.base * Double.random(in: 0.5...1.5)
        connections.eventLoop.scheduleTask(in: TimeAmount(delay)) {
            bound.value.isCatchingUp = false
            bound.value.pump()
        }
    }

    private func write(_ append: (inout [UInt8]) -> Void) {
        var text: [UInt8] = []
        append(&text)
        if let bytes = StreamChunk.frame(text, plan.wire) { send(bytes) }
    }

    private func send(_ bytes: ByteBuffer) {
        guard let context else { return }
        wroteAt = .now()
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    }

    /// Last words, the end of the body, and the end of the connection: when they are out, or after `grace` where the client does not take them.
    private func end(_ end: StreamEnd, grace: TimeAmount = .seconds(2), firstChunk: ByteBuffer? = nil) {
        guard let context, !hasEnded else { return }
        if let firstChunk { send(firstChunk) }
        hasEnded = true
        let bound = NIOLoopBound(self, eventLoop: connections.eventLoop)
        context.eventLoop.scheduleTask(in: grace) { bound.value.close() }
        switch plan.wire {
        case .sse:
            write { SSEWriter.append(end, to: &$0) }
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.whenComplete { _ in bound.value.close() }
            context.writeAndFlush(wrapOutboundOut(StreamChunk.lastFrame), promise: written)
        case .webSocket:
            // The client closes when it has read this; a reset before that would take it along.
            write { WebSocketWriter.append(end, to: &$0) }
        }
    }
}

/// What a client says on a WebSocket.
extension StreamHandler {
    private func received(_ frame: WebSocketFrame) {
        switch inbox.received(frame) {
        case .nothing: break
        // What is not taken is not answered: a flood of pings is not stored.
        case .pong(let payload):
            if !hasEnded, context?.channel.isWritable == true { write { WebSocketWriter.append(.pong, payload.readableBytesView, to: &$0) } }
        case .message(let bytes): if !hasEnded { received(bytes) }
        case .closed:
            if !hasEnded { write { WebSocketWriter.append(.close, [], to: &$0) } }
            close()
        case .end(let why): end(why)
        }
    }

    private func received(_ message: [UInt8]) {
        switch Acknowledgement.read(message, isMerged: plan.isMerged, delivered: renderer.positions) {
        case .failure(let refusal): end(refusal.end)
        case .success(let positions):
            guard let subscription = plan.subscription else {
                return end(StreamEnd(code: 1008, reason: "no_subscription", detail: "acknowledgements need ?subscription=NAME"))
            }
            streaming.metrics.acknowledged()
            streaming.subscriptions.acked(subscription, positions)
        }
    }
}
