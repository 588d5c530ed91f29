import Events
import NIOCore

/// The event loop's end of a connection: splits bytes, answers control frames, fills the mailbox, and reads the socket only while there is room.
final class WebSocketFrameHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Control frames that may be answered without a flush of the socket in between: a flood of pings is not stored.
    private static let repliesPendingMax = 64

    private let place: String
    private let mailbox: WebSocketMailbox
    private let options: WebSocketOptions
    private let buffers: ReadBuffers
    private var reader: WebSocketFrameReader
    private var liveness: WebSocketLiveness
    private var context: ChannelHandlerContext?
    private var ticks: RepeatedTask?
    private var repliesPending = 0
    private var hasReadOutstanding = false
    private var isPumping = false
    /// What ended the connection; handed to the mailbox once every whole message before it stands there.
    private var end: WebSocketError?
    private var isFinished = false

    init(options: WebSocketOptions, buffers: ReadBuffers, mailbox: WebSocketMailbox, place: String) {
        self.buffers = buffers
        self.place = place
        self.mailbox = mailbox
        self.options = options
        reader = WebSocketFrameReader(messageBytesMax: options.messageBytesMax)
        liveness = WebSocketLiveness(options: options, now: .zero)
    }

    private static func now() -> MonotonicTime {
        MonotonicTime(sinceStart: .nanoseconds(Int64(clamping: NIODeadline.now().uptimeNanoseconds)))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        liveness = WebSocketLiveness(options: options, now: Self.now())
        let interval = TimeAmount(liveness.tickInterval)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        ticks = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in bound.value.tick() }
        pump()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        ticks?.cancel()
        ticks = nil
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        liveness.receivedBytes(now: Self.now())
        let bytes = Self.unwrapInboundIn(data)
        reader.copiesMessages = !buffers.keep(bytes)
        reader.receive(bytes)
        pump()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        hasReadOutstanding = false
        pump()
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(WebSocketError(.connectionLost, "the connection ended without a close frame", place: place))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(WebSocketError(.connectionLost, "the connection broke", cause: "\(error)", place: place))
        context.close(promise: nil)
    }

    /// Goes on where the mailbox was full: parses what is held, then asks the socket for more.
    func pump() {
        guard !isPumping, !isFinished else { return }
        isPumping = true
        defer { isPumping = false }
        while !isFinished {
            let (messages, stop) = parse()
            if !messages.isEmpty {
                liveness.receivedMessage(now: Self.now())
                mailbox.put(messages)
            }
            switch stop {
            case .needsBytes:
                askForMore()
                return
            case .full:
                // The reader may have taken some in between.
                guard !mailbox.hasRoom else { continue }
                liveness.reading(false, now: Self.now())
                return
            case .control(let output):
                answer(output)
            case .violation(let violation):
                fail(code: 1002, WebSocketError(.protocolViolation, "the server broke the framing", cause: "\(violation)", place: place))
            }
        }
    }

    /// Why parsing stopped.
    private enum Stop {
        case needsBytes
        case full
        case control(WebSocketFrameReader.Output)
        case violation(WebSocketViolation)
    }

    /// The messages in front, as many as the mailbox has room for: they are put there at once, not one by one.
    private func parse() -> (messages: [WebSocketMessage], stop: Stop) {
        var room = mailbox.room
        var messages: [WebSocketMessage] = []
        do throws(WebSocketViolation) {
            while room.messages > 0, room.bytes > 0 {
                guard let output = try reader.next() else { return (messages, .needsBytes) }
                guard case .message(let message) = output else { return (messages, .control(output)) }
                messages.append(message)
                room.messages -= 1
                room.bytes -= message.heldBytes
            }
        } catch {
            return (messages, .violation(error))
        }
        return (messages, .full)
    }

    /// Ends our side: a close frame, then the connection. What was queued stays readable.
    func close(code: UInt16, reason: String) {
        fail(code: code, WebSocketError(.closedLocally, reason, place: place))
    }

    private func askForMore() {
        if let end {
            isFinished = true
            mailbox.finish(end)
            return
        }
        liveness.reading(true, now: Self.now())
        guard !hasReadOutstanding else { return }
        hasReadOutstanding = true
        context?.read()
    }

    private func answer(_ output: WebSocketFrameReader.Output) {
        switch output {
        case .message:
            break
        case .ping(let payload):
            reply(payload)
        case .pong:
            break
        case .close(let code, let reason):
            let error = WebSocketError(.closedByPeer(code: code), "the server closed with code \(code)", cause: reason, place: place)
            fail(code: code, error)
        }
    }

    private func reply(_ payload: ByteBuffer) {
        guard let context, repliesPending < Self.repliesPendingMax else { return }
        repliesPending += 1
        let written = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in bound.value.repliesPending -= 1 }
        context.writeAndFlush(Self.wrapOutboundOut(WebSocketControlFrame.pong(payload, context.channel.allocator)), promise: written)
    }

    private func tick() {
        switch liveness.tick(now: Self.now()) {
        case .none:
            break
        case .sendPing:
            guard let context, repliesPending < Self.repliesPendingMax else { return }
            context.writeAndFlush(Self.wrapOutboundOut(WebSocketControlFrame.ping(context.channel.allocator)), promise: nil)
        case .dead(let code):
            let message = code == .idle ? "no message within the idle limit" : "no byte after a ping"
            fail(code: 1001, WebSocketError(code, message, place: place))
        }
    }

    /// The stream is over for us, whatever else arrives.
    private func fail(code: UInt16, _ error: WebSocketError) {
        guard !isFinished else { return }
        isFinished = true
        mailbox.finish(error)
        guard let context else { return }
        let frame = Self.wrapOutboundOut(WebSocketControlFrame.close(code: code, reason: "", context.channel.allocator))
        context.writeAndFlush(frame, promise: nil)
        context.close(promise: nil)
    }

    /// The socket is gone, but whole messages may still be held behind a full mailbox.
    private func finish(_ error: WebSocketError) {
        guard !isFinished, end == nil else { return }
        end = error
        ticks?.cancel()
        pump()
    }
}
