import NIOCore
import NIOPosix

/// A client that sends bytes as a test has them, in pieces and at moments that no proper client chooses.
struct RawHTTP {
    struct Reply: Hashable {
        var status: Int
        var head: String
        var body: String
    }

    struct Ended: Error {}

    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var bytes: [UInt8] = []

    static func connected(_ port: Int, _ body: @Sendable (inout RawHTTP) async throws -> Void) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            var client = RawHTTP(outbound: outbound, inbound: inbound.makeAsyncIterator())
            try await body(&client)
        }
    }

    private init(outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>, inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) {
        self.outbound = outbound
        self.inbound = inbound
    }

    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// The next reply, by its Content-Length; throws ``Ended`` where the server closed before its end.
    mutating func reply() async throws -> Reply {
        while true {
            if let reply = Self.reply(in: &bytes) { return reply }
            guard try await more() else { throw Ended() }
        }
    }

    /// Whether the server has nothing more to say: it closed, and no byte is left.
    mutating func isEnded() async throws -> Bool {
        guard bytes.isEmpty else { return false }
        return try await !more()
    }

    private mutating func more() async throws -> Bool {
        guard let buffer = try await inbound.next() else { return false }
        bytes += buffer.readableBytesView
        return true
    }

    /// Takes the first whole reply out.
    static func reply(in bytes: inout [UInt8]) -> Reply? {
        let end = Array("\r\n\r\n".utf8)
        guard let at = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else { return nil }
        let head = String(decoding: bytes[..<(at + 2)], as: UTF8.self)
        let lines = head.split(separator: "\r\n")
        let length = lines.first { $0.lowercased().hasPrefix("content-length:") }.flatMap { Int($0.dropFirst("content-length: ".count)) } ?? 0
        guard bytes.count >= at + 4 + length else { return nil }
        let status = lines.first.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) } ?? 0
        let body = String(decoding: bytes[(at + 4)..<(at + 4 + length)], as: UTF8.self)
        bytes.removeFirst(at + 4 + length)
        return Reply(status: status, head: head, body: body)
    }
}
