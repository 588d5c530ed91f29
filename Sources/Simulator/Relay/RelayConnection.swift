import ATProto
import NIOCore
import NIOWebSocket

/// One reader of a relay. Pulls from the relay's window while its socket takes bytes, so nothing is queued for it.
///
/// Lives on its relay's event loop. Reads come decoded; what it writes is bytes, past the encoder, because faults are.
final class RelayConnection: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame

    /// Bytes taken from the window at once.
    private static let chunkBytes = 128 << 10

    private let core: RelayCore
    private let cursor: Int64?
    /// The place in the window of the next message.
    private(set) var place = 0
    /// True once it has read all there was: from then on falling far behind closes it.
    private var hasCaughtUp = false
    private var isClosing = false
    private var unansweredPings = 0
    /// Past the WebSocket encoder, next to the socket.
    private var socket: ChannelHandlerContext?

    init(core: RelayCore, cursor: Int64?) {
        self.core = core
        self.cursor = cursor
    }

    func handlerAdded(context: ChannelHandlerContext) {
        socket = try? context.pipeline.syncOperations.context(handlerType: RelaySocket.self)
        let opening = core.attach(self, cursor: cursor)
        place = opening.place
        switch opening.state {
        case .live, .replay: break
        case .outdated:
            guard core.announcesCursorFaults else { break }
            send(InfoMessage(name: "OutdatedCursor", message: "the requested cursor is older than what is kept").frame())
        case .future:
            guard core.announcesCursorFaults else { break }
            end(error: "FutureCursor", "cursor in the future", code: 1008)
            return
        }
        pump()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        core.detach(self)
        socket = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosing = true
        core.detach(self)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        guard !core.isSilent else { return }
        switch frame.opcode {
        case .ping:
            var buffer = context.channel.allocator.buffer(capacity: 128)
            WebSocketBytes.append(.pong, Array(frame.unmaskedData.readableBytesView.prefix(125)), to: &buffer)
            write(buffer)
        case .pong: unansweredPings = 0
        case .connectionClose: close(code: 1000, reason: "")
        default: break
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        pump()
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Bytes of the window that it has not taken yet; 0 until it has caught up for the first time.
    var lagBytes: Int { hasCaughtUp && !isClosing ? core.window.bytes(from: place) : 0 }

    /// Writes what there is, as far as the socket takes it.
    func pump() {
        guard let socket, !isClosing, !core.isSilent else { return }
        while !isClosing, place < core.window.end {
            // A large batch alone is no reason: only who does not take bytes is slow.
            let isFull = !socket.channel.isWritable
            if place < core.window.start || (isFull && hasCaughtUp && core.window.bytes(from: place) > core.readerLagBytesMax) {
                core.readerWasTooSlow()
                end(error: "ConsumerTooSlow", "the reader is too far behind", code: 1008)
                return
            }
            if isFull { return }
            if let fault = core.takeConnectionFault() {
                fail(fault)
                continue
            }
            writeChunk()
        }
        if place == core.window.end { hasCaughtUp = true }
    }

    func ping() {
        guard !isClosing, !core.isSilent, let socket else { return }
        if unansweredPings >= 2 {
            isClosing = true
            socket.close(promise: nil)
            return
        }
        unansweredPings += 1
        var buffer = socket.channel.allocator.buffer(capacity: 16)
        WebSocketBytes.append(.ping, Array("weir".utf8), to: &buffer)
        write(buffer)
    }

    /// Ends without a word, as when the host is gone.
    func hangUp() {
        guard !isClosing else { return }
        isClosing = true
        socket?.close(promise: nil)
    }

    /// Says goodbye and closes, whether the peer answers or not.
    func close(code: UInt16, reason: String) {
        guard !isClosing, let socket else { return }
        isClosing = true
        var buffer = socket.channel.allocator.buffer(capacity: 128)
        WebSocketBytes.appendClose(code: code, reason: reason, to: &buffer)
        write(buffer, thenClose: true)
    }

    private func writeChunk() {
        guard let socket else { return }
        var buffer = socket.channel.allocator.buffer(capacity: Self.chunkBytes + (16 << 10))
        let first = place
        var frames = 0
        while place < core.window.end, buffer.readableBytes < Self.chunkBytes {
            WebSocketBytes.append(.binary, core.window[place].frame, to: &buffer)
            place += 1
            frames += 1
            // One frame at a time where a fault may wait for the next boundary.
            if core.hasConnectionFault { break }
        }
        core.sent(frames: frames, bytes: buffer.readableBytes)
        if let onSent = core.onSent {
            for place in first..<place {
                if case .message(let message) = core.window[place].content, message.isCommit { onSent(message.event.did, message.event.rev) }
            }
        }
        write(buffer)
    }

    private func fail(_ fault: FaultKind) {
        guard let socket else { return }
        core.happened(fault)
        switch fault {
        case .cutMidFrame:
            var buffer = socket.channel.allocator.buffer(capacity: 16 << 10)
            WebSocketBytes.append(.binary, core.window[place].frame, to: &buffer)
            isClosing = true
            write(buffer.getSlice(at: buffer.readerIndex, length: max(buffer.readableBytes / 2, 3)) ?? buffer, thenClose: true)
        case .garbageBytes:
            var buffer = socket.channel.allocator.buffer(capacity: 64)
            buffer.writeBytes(WebSocketBytes.garbage)
            write(buffer)
        case .errorFrame: end(error: "InternalServerError", "the simulator was told to fail", code: 1011)
        default:
            isClosing = true
            socket.close(promise: nil)
        }
    }

    private func end(error: String, _ message: String, code: UInt16) {
        send(ErrorMessage(error: error, message: message).frame())
        close(code: code, reason: error)
    }

    private func send(_ frame: [UInt8]) {
        guard let socket, !isClosing else { return }
        var buffer = socket.channel.allocator.buffer(capacity: frame.count + 16)
        WebSocketBytes.append(.binary, frame, to: &buffer)
        write(buffer)
    }

    private func write(_ buffer: ByteBuffer, thenClose: Bool = false) {
        guard let socket else { return }
        guard thenClose else {
            socket.writeAndFlush(NIOAny(buffer), promise: nil)
            return
        }
        let written = socket.eventLoop.makePromise(of: Void.self)
        let channel = socket.channel
        written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        socket.writeAndFlush(NIOAny(buffer), promise: written)
        // A reader that takes nothing never lets the write end.
        channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }
}
