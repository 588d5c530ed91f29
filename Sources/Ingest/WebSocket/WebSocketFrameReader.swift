import NIOCore

/// Splits a server's bytes into messages and control frames (RFC 6455 section 5), as a state machine without I/O.
///
/// Bytes wait inside only until their frame is whole, at most ``messageBytesMax`` and what was handed in last. A message in one frame leaves
/// as a slice of what came in. A message above the limit is drained: its bytes are dropped as they come and its size is reported at its end.
struct WebSocketFrameReader {
    enum Output: Hashable {
        case message(WebSocketMessage)
        case ping(ByteBuffer)
        case pong
        /// 1005 where the frame has no code.
        case close(code: UInt16, reason: String)
    }

    private static let headerBytesMax = 10

    private enum Opcode: UInt8 {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10
    }

    private struct Header {
        var isFinal: Bool
        var opcode: Opcode
        var length: Int
    }

    /// A message whose last frame is still to come.
    private struct Open {
        var isText: Bool
        var length: Int
        /// Nil once the message is above the limit.
        var payload: ByteBuffer?
    }

    private enum State {
        case header
        case payload(Header)
        /// Bytes of the current frame that are still to be thrown away.
        case drain(remaining: Int, isFinal: Bool)
    }

    let messageBytesMax: Int
    /// Messages leave as copies, not as slices, as long as this is set.
    var copiesMessages = false
    private var state = State.header
    private var open: Open?
    /// What is parsed now: what one read of the socket brought, or one frame that began in a read and goes on in the next ones.
    private var pending = ByteBuffer()
    /// ``pending`` has a storage of its own, which a frame in many reads fills piece by piece. What a read brought is shared with the messages in it.
    private var isJoined = false
    /// Reads that came after ``pending``. They are joined to it only as far as the frame at the seam needs them: the rest is never copied.
    private var following = CircularBuffer<ByteBuffer>()

    init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

    /// Bytes that wait for the rest of their frame or message.
    var heldBytes: Int { following.reduce(pending.readableBytes + (open?.payload?.readableBytes ?? 0)) { $0 + $1.readableBytes } }

    /// A read that fills less than half of its buffer is copied out of it, so that what is held is at most twice what was received.
    mutating func receive(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        let isSparse = bytes.storageCapacity > 2 * bytes.readableBytes + 1024
        let bytes = isSparse ? ByteBuffer(bytes: bytes.readableBytesView) : bytes
        if pending.readableBytes == 0, following.isEmpty {
            pending = bytes
            isJoined = false
        } else {
            following.append(bytes)
        }
    }

    /// Makes at least `count` bytes stand in ``pending``, where so many were received.
    private mutating func gather(_ count: Int) -> Bool {
        if pending.readableBytes == 0, let next = following.popFirst() {
            pending = next
            isJoined = false
        }
        guard pending.readableBytes < count, !following.isEmpty else { return pending.readableBytes >= count }
        if !isJoined || pending.readableBytes + pending.writableBytes < count {
            var joined = ByteBufferAllocator().buffer(capacity: count)
            joined.writeBuffer(&pending)
            pending = joined
            isJoined = true
        }
        while pending.readableBytes < count, var next = following.popFirst() {
            if var piece = next.readSlice(length: min(count - pending.readableBytes, next.readableBytes)) { pending.writeBuffer(&piece) }
            if next.readableBytes > 0 { following.prepend(next) }
        }
        return pending.readableBytes >= count
    }

    /// The next whole thing, or nil until more bytes come.
    mutating func next() throws(WebSocketViolation) -> Output? {
        while true {
            switch state {
            case .header:
                guard let header = try readHeader() else { return nil }
                try begin(header)
            case .payload(let header):
                guard gather(header.length), let payload = pending.readSlice(length: header.length) else { return nil }
                state = .header
                if let output = try finish(header, payload) { return output }
            case .drain(let remaining, let isFinal):
                let dropped = min(remaining, pending.readableBytes)
                pending.moveReaderIndex(forwardBy: dropped)
                guard dropped == remaining else {
                    state = .drain(remaining: remaining - dropped, isFinal: isFinal)
                    guard gather(1) else { return nil }
                    continue
                }
                state = .header
                guard isFinal, let drained = open else { continue }
                open = nil
                return .message(.oversize(bytes: drained.length))
            }
        }
    }

    private mutating func readHeader() throws(WebSocketViolation) -> Header? {
        // A header whole in front of us is the rule; one on the seam of two reads is made whole as far as it goes.
        if pending.readableBytes < Self.headerBytesMax { _ = gather(Self.headerBytesMax) }
        let start = pending.readerIndex
        guard let first = pending.getInteger(at: start, as: UInt8.self), let second = pending.getInteger(at: start + 1, as: UInt8.self) else {
            return nil
        }
        guard first & 0x70 == 0 else { throw WebSocketViolation(kind: .reservedBits) }
        guard let opcode = Opcode(rawValue: first & 0x0F) else { throw WebSocketViolation(kind: .reservedOpcode) }
        guard second & 0x80 == 0 else { throw WebSocketViolation(kind: .maskedFrame) }
        let isFinal = first & 0x80 != 0
        let short = Int(second & 0x7F)
        if opcode.rawValue >= 8 {
            guard isFinal else { throw WebSocketViolation(kind: .fragmentedControl) }
            guard short <= 125 else { throw WebSocketViolation(kind: .longControl) }
        }
        switch short {
        case 126:
            guard let length = pending.getInteger(at: start + 2, as: UInt16.self) else { return nil }
            pending.moveReaderIndex(forwardBy: 4)
            return Header(isFinal: isFinal, opcode: opcode, length: Int(length))
        case 127:
            guard let length = pending.getInteger(at: start + 2, as: UInt64.self) else { return nil }
            guard length < 1 << 62 else { throw WebSocketViolation(kind: .lengthAboveLimit) }
            pending.moveReaderIndex(forwardBy: 10)
            return Header(isFinal: isFinal, opcode: opcode, length: Int(length))
        default:
            pending.moveReaderIndex(forwardBy: 2)
            return Header(isFinal: isFinal, opcode: opcode, length: short)
        }
    }

    /// Decides from the header alone whether the payload is kept: what is too long must never be waited for in memory.
    private mutating func begin(_ header: Header) throws(WebSocketViolation) {
        switch header.opcode {
        case .close, .ping, .pong:
            state = .payload(header)
            return
        case .text, .binary:
            guard open == nil else { throw WebSocketViolation(kind: .messageInsideMessage) }
            if header.isFinal, header.length <= messageBytesMax {
                state = .payload(header)
                return
            }
            open = Open(isText: header.opcode == .text, length: 0, payload: ByteBuffer())
        case .continuation:
            guard open != nil else { throw WebSocketViolation(kind: .continuationWithoutStart) }
        }
        let (length, overflow) = (open?.length ?? 0).addingReportingOverflow(header.length)
        open?.length = overflow ? .max : length
        if overflow || length > messageBytesMax { open?.payload = nil }
        state = open?.payload == nil ? .drain(remaining: header.length, isFinal: header.isFinal) : .payload(header)
    }

    private mutating func finish(_ header: Header, _ payload: ByteBuffer) throws(WebSocketViolation) -> Output? {
        switch header.opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong
        case .close: return try Self.close(payload)
        case .text where open == nil: return .message(.text(owned(payload)))
        case .binary where open == nil: return .message(.binary(owned(payload)))
        case .text, .binary, .continuation: return join(payload, isFinal: header.isFinal)
        }
    }

    private func owned(_ payload: ByteBuffer) -> ByteBuffer { copiesMessages ? ByteBuffer(bytes: payload.readableBytesView) : payload }

    private mutating func join(_ fragment: ByteBuffer, isFinal: Bool) -> Output? {
        var fragment = fragment
        open?.payload?.writeBuffer(&fragment)
        guard isFinal, let whole = open else { return nil }
        open = nil
        let payload = whole.payload ?? ByteBuffer()
        return .message(whole.isText ? .text(payload) : .binary(payload))
    }

    private static func close(_ payload: ByteBuffer) throws(WebSocketViolation) -> Output {
        var payload = payload
        if payload.readableBytes == 0 { return .close(code: 1005, reason: "") }
        guard let code = payload.readInteger(as: UInt16.self) else { throw WebSocketViolation(kind: .closePayload) }
        return .close(code: code, reason: String(buffer: payload))
    }
}
