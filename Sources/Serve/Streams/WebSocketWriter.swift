import Events

/// Writes a server's frames (RFC 6455 §5): unmasked, each message in one. What was written for one client is as good for the next.
enum WebSocketWriter {
    enum Opcode: UInt8 { case text = 1, close = 8, ping = 9, pong = 10 }

    static func append(_ opcode: Opcode, _ payload: some Collection<UInt8>, to bytes: inout [UInt8]) {
        appendHead(opcode, payload.count, to: &bytes)
        bytes.append(contentsOf: payload)
    }

    /// `{"id":…,"event":…,"data":…}`.
    ///
    /// - Parameters:
    ///   - id: a number or base64url: nothing that JSON would escape.
    ///   - data: a JSON value; empty: the member is left out.
    static func append(id: some Collection<UInt8>, event: String, data: [UInt8], to bytes: inout [UInt8]) {
        let parts = (#"{"id":""#.utf8, #"","event":""#.utf8, #"""#.utf8, #","data":"#.utf8, "}".utf8)
        let length = parts.0.count + id.count + parts.1.count + event.utf8.count + parts.2.count + parts.4.count
        appendHead(.text, length + (data.isEmpty ? 0 : parts.3.count + data.count), to: &bytes)
        bytes.append(contentsOf: parts.0)
        bytes.append(contentsOf: id)
        bytes.append(contentsOf: parts.1)
        bytes.append(contentsOf: event.utf8)
        bytes.append(contentsOf: parts.2)
        if !data.isEmpty {
            bytes.append(contentsOf: parts.3)
            bytes.append(contentsOf: data)
        }
        bytes.append(contentsOf: parts.4)
    }

    /// A ping, and what moves the client's position past events that it did not want.
    static func appendHeartbeat(id: some Collection<UInt8>, to bytes: inout [UInt8]) {
        append(.ping, [], to: &bytes)
        append(id: id, event: "heartbeat", data: [], to: &bytes)
    }

    /// What comes first: where the stream begins, and how long to wait before a reconnect.
    static func appendOpening(id: some Collection<UInt8>, retryMs: Int64, to bytes: inout [UInt8]) {
        append(id: id, event: "open", data: Array(#"{"retry_ms":\#(retryMs)}"#.utf8), to: &bytes)
    }

    static func append(_ end: StreamEnd, to bytes: inout [UInt8]) {
        append(.close, [UInt8(truncatingIfNeeded: end.code >> 8), UInt8(truncatingIfNeeded: end.code)] + Array(end.text.utf8), to: &bytes)
    }

    private static func appendHead(_ opcode: Opcode, _ length: Int, to bytes: inout [UInt8]) {
        bytes.append(0x80 | opcode.rawValue)
        switch length {
        case ..<126: bytes.append(UInt8(length))
        case ..<65_536:
            bytes.append(126)
            bytes.append(UInt8(length >> 8))
            bytes.append(UInt8(length & 0xFF))
        default:
            bytes.append(127)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
        }
    }
}
