import NIOCore

/// A server's WebSocket frames as bytes: faults need frames that are cut or wrong, which an encoder does not make.
enum WebSocketBytes {
    enum Opcode: UInt8 { case binary = 2, close = 8, ping = 9, pong = 10 }

    /// The first bytes of no frame that a client may accept: reserved bits and an unknown opcode.
    static let garbage = [UInt8](repeating: 0xff, count: 48)

    /// Appends a whole frame, unmasked as a server's are (RFC 6455, 5.2).
    static func append(_ opcode: Opcode, _ payload: [UInt8], to buffer: inout ByteBuffer) {
        buffer.writeInteger(0x80 | opcode.rawValue)
        switch payload.count {
        case ..<126: buffer.writeInteger(UInt8(payload.count))
        case ...0xffff:
            buffer.writeInteger(126 as UInt8)
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(127 as UInt8)
            buffer.writeInteger(UInt64(payload.count))
        }
        buffer.writeBytes(payload)
    }

    /// Appends the payload of a close frame as a frame.
    static func appendClose(code: UInt16, reason: String, to buffer: inout ByteBuffer) {
        append(.close, [UInt8(code >> 8), UInt8(code & 0xff)] + Array(reason.utf8.prefix(120)), to: &buffer)
    }
}
