import NIOCore
import NIOWebSocket

/// What a client's frames come to: messages joined of their fragments, answers that are owed, and rules that were broken. Without I/O.
struct WebSocketInbox {
    enum Action: Hashable {
        case nothing
        case message([UInt8])
        case pong(ByteBuffer)
        /// The client closes, or answers a close.
        case closed
        case end(StreamEnd)
    }

    /// What a client says is short: an acknowledgement, a cursor of a thousand shards.
    static let messageBytesMax = 8 << 10

    /// Of a message whose last fragment is still to come.
    private var open: [UInt8]?

    mutating func received(_ frame: WebSocketFrame) -> Action {
        guard let key = frame.maskKey else { return .end(.protocolError("a client's frames are masked")) }
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return .end(.protocolError("no extension was agreed on")) }
        var payload = frame.data
        payload.webSocketUnmask(key)
        switch frame.opcode {
        case .ping: return .pong(payload)
        case .pong: return .nothing
        case .connectionClose: return .closed
        case .binary: return .end(StreamEnd(code: 1003, reason: "text_only"))
        case .text:
            guard open == nil else { return .end(.protocolError("a message began before the end of another")) }
            return join([], payload, isLast: frame.fin)
        case .continuation:
            guard let begun = open else { return .end(.protocolError("a fragment without a message")) }
            return join(begun, payload, isLast: frame.fin)
        default: return .end(.protocolError("an opcode that means nothing"))
        }
    }

    private mutating func join(_ begun: [UInt8], _ payload: ByteBuffer, isLast: Bool) -> Action {
        guard begun.count + payload.readableBytes <= Self.messageBytesMax else { return .end(.tooLarge) }
        let bytes = begun + payload.readableBytesView
        open = isLast ? nil : bytes
        guard isLast else { return .nothing }
        guard String(validating: bytes, as: UTF8.self) != nil else { return .end(StreamEnd(code: 1007, reason: "not_utf8")) }
        return .message(bytes)
    }
}
