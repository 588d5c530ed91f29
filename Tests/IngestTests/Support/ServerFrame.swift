import NIOCore

/// Frames as a server sends them: unmasked.
enum ServerFrame {
    static func data(_ payload: [UInt8], opcode: UInt8 = 2, isFinal: Bool = true) -> ByteBuffer {
        var buffer = header(length: payload.count, opcode: opcode, isFinal: isFinal)
        buffer.writeBytes(payload)
        return buffer
    }

    static func text(_ text: String) -> ByteBuffer { data(Array(text.utf8), opcode: 1) }
    static func ping(_ payload: [UInt8]) -> ByteBuffer { data(payload, opcode: 9) }
    static func close(code: UInt16, reason: String = "") -> ByteBuffer {
        data([UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8), opcode: 8)
    }

    static func header(length: Int, opcode: UInt8 = 2, isFinal: Bool = true) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger((isFinal ? 0x80 : 0) | opcode)
        switch length {
        case ..<126:
            buffer.writeInteger(UInt8(length))
        case ..<65_536:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(length))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(length))
        }
        return buffer
    }

    static func join(_ frames: [ByteBuffer]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for frame in frames { buffer.writeImmutableBuffer(frame) }
        return buffer
    }
}
