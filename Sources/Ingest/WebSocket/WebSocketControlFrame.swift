import NIOCore

/// The only frames a consumer of an event stream sends: ping, pong and close, masked as RFC 6455 section 5.3 asks of clients.
enum WebSocketControlFrame {
    static func ping(_ allocator: ByteBufferAllocator) -> ByteBuffer { encode(opcode: 9, payload: [], allocator) }

    static func pong(_ payload: ByteBuffer, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        encode(opcode: 10, payload: payload.readableBytesView, allocator)
    }

    /// The reason is cut to 123 bytes, the most a control frame holds.
    static func close(code: UInt16, reason: String = "", _ allocator: ByteBufferAllocator) -> ByteBuffer {
        // 1005 and 1006 say that there was no code: they never stand in a frame.
        if code == 1005 || code == 1006 { return encode(opcode: 8, payload: [], allocator) }
        return encode(opcode: 8, payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + reason.utf8.prefix(123), allocator)
    }

    private static func encode(opcode: UInt8, payload: some Collection<UInt8>, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: 6 + payload.count)
        let mask = UInt32.random(in: .min ... .max)
        buffer.writeMultipleIntegers(0x80 | opcode, 0x80 | UInt8(truncatingIfNeeded: payload.count), mask)
        var shift: UInt32 = 24
        for byte in payload {
            buffer.writeInteger(byte ^ UInt8(truncatingIfNeeded: mask >> shift))
            shift = shift == 0 ? 24 : shift - 8
        }
        return buffer
    }
}
