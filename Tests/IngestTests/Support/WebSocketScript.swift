import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

@testable import Ingest

extension WebSocketOptions {
    /// With bounds that a machine keeps that is busy with other things; a test that waits for one sets it itself.
    static var patient: WebSocketOptions {
        var options = WebSocketOptions()
        options.connectTimeout = .seconds(120)
        options.pingInterval = .seconds(300)
        options.pongTimeout = .seconds(300)
        options.idleLimit = .seconds(900)
        return options
    }
}

/// A WebSocket server whose every connection runs a script of the test: it says exactly which bytes go out, and when.
struct WebSocketScript: Sendable {
    /// One accepted connection, after its request was read.
    struct Peer {
        let request: HTTPRequestHead
        let channel: any Channel
        let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        var rest: ByteBuffer

        /// The 101 with the right accept key, and `bytes` in the same segment.
        func accept(with bytes: ByteBuffer = ByteBuffer()) async throws {
            let upgrader = NIOWebSocketServerUpgrader(
                shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
                upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
            let channel = channel
            let request = request
            let headers = try await channel.eventLoop.flatSubmit {
                upgrader.buildUpgradeResponse(channel: channel, upgradeRequest: request, initialResponseHeaders: [:])
            }.get()
            var text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            for (name, value) in headers where name.lowercased().hasPrefix("sec-") { text += "\(name): \(value)\r\n" }
            var buffer = ByteBuffer(string: text + "\r\n")
            buffer.writeImmutableBuffer(bytes)
            try await outbound.write(buffer)
        }

        func send(_ bytes: ByteBuffer) async throws { try await outbound.write(bytes) }

        /// The next control frame of the client, unmasked; nil at the end of the connection.
        mutating func readControl() async throws -> (opcode: UInt8, payload: [UInt8])? {
            while true {
                if let frame = takeControl() { return frame }
                guard var more = try await inbound.next() else { return nil }
                rest.writeBuffer(&more)
            }
        }

        /// Reads until the client ends the connection.
        mutating func drain() async throws {
            while try await inbound.next() != nil {}
        }

        private mutating func takeControl() -> (opcode: UInt8, payload: [UInt8])? {
            let start = rest.readerIndex
            guard let first = rest.getInteger(at: start, as: UInt8.self), let second = rest.getInteger(at: start + 1, as: UInt8.self),
                let mask = rest.getBytes(at: start + 2, length: 4), let masked = rest.getBytes(at: start + 6, length: Int(second & 0x7F))
            else { return nil }
            rest.moveReaderIndex(forwardBy: 6 + masked.count)
            return (first & 0x0F, masked.enumerated().map { $1 ^ mask[$0 % 4] })
        }
    }

    let port: Int

    /// Serves while `client` runs; each connection runs `script`, whose number counts from 0. What a script throws ends its connection.
    static func serve<Value: Sendable>(
        tls: NIOSSLContext? = nil, script: @escaping @Sendable (Int, inout Peer) async throws -> Void,
        client: @escaping @Sendable (WebSocketScript) async throws -> Value
    ) async throws -> Value {
        // Each connection must be taken by somebody: one that is merely let go ends the process (NIO's rule).
        let (connections, arrivals) = AsyncStream<NIOAsyncChannel<ByteBuffer, ByteBuffer>>.makeStream()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    let connection = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    if case .terminated = arrivals.yield(connection) {
                        Task { try? await connection.executeThenClose { _, _ in } }
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = server.localAddress?.port ?? 0
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                await withDiscardingTaskGroup { group in
                    var number = 0
                    // A cancellation ends it behind the last connection that has arrived.
                    for await connection in connections {
                        let index = number
                        number += 1
                        group.addTask { try? await run(connection, index, script) }
                    }
                }
                try? await server.close()
                return nil
            }
            group.addTask { try await client(WebSocketScript(port: port)) }
            while let value = try await group.next() {
                guard let value else { continue }
                group.cancelAll()
                return value
            }
            throw CancellationError()
        }
    }

    private static func run(
        _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ index: Int, _ script: @Sendable (Int, inout Peer) async throws -> Void
    ) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var iterator = inbound.makeAsyncIterator()
            var rest = ByteBuffer()
            while rest.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
                guard var more = try await iterator.next() else { return }
                rest.writeBuffer(&more)
            }
            guard let end = rest.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
            let request = rest.readSlice(length: end.upperBound - rest.readerIndex).map { String(buffer: $0) } ?? ""
            var peer = Peer(request: head(Substring(request)), channel: connection.channel, outbound: outbound, inbound: iterator, rest: rest)
            try await script(index, &peer)
        }
    }

    private static func head(_ text: Substring) -> HTTPRequestHead {
        let lines = text.split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        var headers = HTTPHeaders()
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers.add(name: String(parts[0]), value: parts[1].trimmingPrefix(" ").description) }
        }
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: words.count > 1 ? String(words[1]) : "", headers: headers)
    }
}
