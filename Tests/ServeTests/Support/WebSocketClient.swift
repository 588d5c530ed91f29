import NIOCore
import NIOPosix
import TestSupport

/// A WebSocket client that speaks frames as a test has them, right or wrong.
struct WebSocketClient {
    /// What the server says: `{"id":…,"event":…,"data":…}`, or the frame that ends.
    struct Message: Hashable {
        var id = ""
        var event = ""
        var data = ""
        /// Of a close frame.
        var code: UInt16?
        var reason = ""
    }

    private(set) var status = 0
    private(set) var head = ""
    /// The body of an answer that was no upgrade.
    private(set) var body = ""
    /// Pings that came, and payloads of pongs.
    private(set) var pings = 0
    private(set) var pongs: [[UInt8]] = []
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var bytes: [UInt8] = []
    private var taken = 0

    static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    /// RFC 6455 §1.3 has it.
    static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    /// - Parameters:
    ///   - headers: further ones, a line each.
    ///   - ahead: bytes that are sent right behind the request, before it is answered.
    static func connected(
        _ port: Int, _ path: String, headers: [String] = [], key: String? = Self.key, ahead: [UInt8] = [],
        _ body: @Sendable (inout WebSocketClient) async throws -> Void
    ) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
            }
        try await channel.executeThenClose { inbound, outbound in
            var client = WebSocketClient(outbound: outbound, inbound: inbound.makeAsyncIterator())
            var lines = ["GET \(path) HTTP/1.1", "Host: test", "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
            if let key { lines.append("Sec-WebSocket-Key: \(key)") }
            let request = (lines + headers).joined(separator: "\r\n") + "\r\n\r\n"
            try await outbound.write(ByteBuffer(bytes: Array(request.utf8) + ahead))
            try await client.readHead()
            try await body(&client)
        }
    }

    private init(outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) {
        self.outbound = outbound
        self.inbound = inbound
    }

    private mutating func readHead() async throws {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let at = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) {
                head = String(decoding: bytes[..<at], as: UTF8.self)
                bytes.removeFirst(at + 4)
                break
            }
            guard try await more() else { throw TestSupportError("the server closed before it answered") }
        }
        status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        guard status != 101 else { return }
        let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length: ") }.flatMap { Int($0.dropFirst(16)) } ?? 0
        while bytes.count < length { guard try await more() else { break } }
        body = String(decoding: bytes, as: UTF8.self)
    }

    /// The next message or close frame; nil where the server closed the connection.
    mutating func next() async throws -> Message? {
        while let (opcode, payload) = try await frame() {
            switch opcode {
            case 1: return Self.message(payload)
            case 8:
                let code = payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : 1005
                return Message(code: code, reason: String(decoding: payload.dropFirst(2), as: UTF8.self))
            case 9: pings += 1
            case 10: pongs.append(payload)
            default: throw TestSupportError("an opcode \(opcode)")
            }
        }
        return nil
    }

    /// The next message that is neither the opening nor a heartbeat.
    mutating func nextEvent() async throws -> Message? {
        while let message = try await next() {
            if message.event != "open", message.event != "heartbeat" { return message }
        }
        return nil
    }

    func send(_ text: String) async throws { try await send(1, Array(text.utf8)) }

    func send(_ opcode: UInt8, _ payload: [UInt8], isLast: Bool = true, isMasked: Bool = true) async throws {
        try await outbound.write(ByteBuffer(bytes: Self.frame(opcode, payload, isLast: isLast, isMasked: isMasked)))
    }

    static func frame(_ opcode: UInt8, _ payload: [UInt8], isLast: Bool = true, isMasked: Bool = true) -> [UInt8] {
        let mask: [UInt8] = [0x11, 0xA2, 0x73, 0xF4]
        var bytes: [UInt8] = [(isLast ? 0x80 : 0) | opcode]
        let flag: UInt8 = isMasked ? 0x80 : 0
        if payload.count < 126 {
            bytes.append(flag | UInt8(payload.count))
        } else {
            bytes += [flag | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        }
        return isMasked ? bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] } : bytes + payload
    }

    private mutating func frame() async throws -> (UInt8, [UInt8])? {
        while true {
            if let frame = parsed() { return frame }
            bytes.removeSubrange(..<taken)
            taken = 0
            guard try await more() else { return nil }
        }
    }

    private mutating func parsed() -> (UInt8, [UInt8])? {
        let rest = bytes[taken...]
        guard rest.count >= 2 else { return nil }
        var at = taken + 2
        var length = Int(bytes[taken + 1] & 0x7F)
        let extra = length == 126 ? 2 : length == 127 ? 8 : 0
        guard bytes.count >= at + extra else { return nil }
        if extra > 0 {
            length = bytes[at..<at + extra].reduce(0) { $0 << 8 | Int($1) }
            at += extra
        }
        guard bytes.count >= at + length else { return nil }
        defer { taken = at + length }
        return (bytes[taken] & 0x0F, Array(bytes[at..<at + length]))
    }

    private mutating func more() async throws -> Bool {
        guard let buffer = try await inbound.next() else { return false }
        bytes += buffer.readableBytesView
        return true
    }

    private static func message(_ payload: [UInt8]) -> Message {
        let text = String(decoding: payload, as: UTF8.self)
        let parts = text.split(separator: "\"", maxSplits: 8, omittingEmptySubsequences: false)
        guard parts.count >= 8 else { return Message(data: text) }
        var message = Message(id: String(parts[3]), event: String(parts[7]))
        if let range = text.firstRange(of: #","data":"#) { message.data = String(text[range.upperBound...].dropLast()) }
        return message
    }
}
