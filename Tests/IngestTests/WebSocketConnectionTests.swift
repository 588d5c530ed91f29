import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import Ingest

@Suite(.timeLimit(.minutes(10))) struct WebSocketConnectionTests {
    /// Connects to a scripted server and collects every message until the end of the connection.
    private func collect(
        _ options: WebSocketOptions = .patient, script: @escaping @Sendable (Int, inout WebSocketScript.Peer) async throws -> Void
    ) async throws -> (messages: [WebSocketMessage], end: WebSocketError) {
        try await WebSocketScript.serve(script: script) { server in
            let endpoint = try WebSocketEndpoint("ws://127.0.0.1:\(server.port)")
            do {
                return try await WebSocketConnection.withConnection(to: endpoint, path: "/x?cursor=1", options: options) { connection in
                    var messages: [WebSocketMessage] = []
                    while true {
                        do {
                            messages += try await connection.nextMessages(messagesMax: 10, bytesMax: 1 << 20)
                        } catch let error as WebSocketError {
                            return (messages, error)
                        }
                    }
                }
            } catch let error as WebSocketError {
                return ([], error)
            }
        }
    }

    private func binary(_ bytes: [UInt8]) -> WebSocketMessage { .binary(ByteBuffer(bytes: bytes)) }

    @Test("bytes that arrive together with the 101 are not lost") func bytesWithTheUpgrade() async throws {
        let frames = (0..<50).map { ServerFrame.data([UInt8($0)]) }
        for _ in 0..<20 {
            let (messages, end) = try await collect { _, peer in
                try await peer.accept(with: ServerFrame.join(frames))
                try await peer.send(ServerFrame.close(code: 1000))
                try await peer.drain()
            }
            #expect(messages == (0..<50).map { binary([$0]) })
            #expect(end.code == .closedByPeer(code: 1000))
        }
    }

    @Test("the request names host, agent and path") func request() async throws {
        let (messages, _) = try await collect { _, peer in
            let headers = peer.request.headers
            let seen = "\(peer.request.uri) \(headers["host"]) \(headers["user-agent"]) \(headers["sec-websocket-extensions"])"
            try await peer.accept(with: ServerFrame.text(seen))
        }
        guard case .text(let buffer)? = messages.first else {
            Issue.record("no text came")
            return
        }
        let text = String(buffer: buffer)
        #expect(text.hasPrefix("/x?cursor=1 [\"127.0.0.1:"))
        #expect(text.hasSuffix("[\"weir\"] []"))
    }

    @Test("a message above the limit is drained and the connection goes on") func oversize() async throws {
        let (messages, end) = try await collect { _, peer in
            try await peer.accept(with: ServerFrame.data([1]))
            try await peer.send(ServerFrame.header(length: 6_000_000))
            for _ in 0..<60 { try await peer.send(ByteBuffer(repeating: 0, count: 100_000)) }
            try await peer.send(ServerFrame.data([2]))
            try await peer.send(ServerFrame.data(Array(repeating: 3, count: 4_999_999)))
            try await peer.send(ServerFrame.close(code: 1001))
            try await peer.drain()
        }
        #expect(messages == [binary([1]), .oversize(bytes: 6_000_000), binary([2]), binary(Array(repeating: 3, count: 4_999_999))])
        #expect(end.code == .closedByPeer(code: 1001))
    }

    @Test("fragments are joined around control frames, and pings are answered") func fragments() async throws {
        let (messages, end) = try await collect { _, peer in
            try await peer.accept()
            try await peer.send(ServerFrame.data([1, 2], isFinal: false))
            try await peer.send(ServerFrame.ping([7, 7]))
            guard let pong = try await peer.readControl() else { return }
            try await peer.send(ServerFrame.data([pong.opcode] + pong.payload, opcode: 0))
            try await peer.send(ServerFrame.close(code: 1000, reason: "done"))
            guard let close = try await peer.readControl() else { return }
            #expect(close.opcode == 8)
            #expect(close.payload == [3, 232])
        }
        #expect(messages == [binary([1, 2, 10, 7, 7])])
        #expect(end.cause == "done")
    }

    @Test("a connection cut in mid-frame hands over what was whole") func cut() async throws {
        let (messages, end) = try await collect { _, peer in
            try await peer.accept(with: ServerFrame.data([1]))
            try await peer.send(ServerFrame.header(length: 500))
            try await peer.send(ByteBuffer(repeating: 0, count: 100))
        }
        #expect(messages == [binary([1])])
        #expect(end.code == .connectionLost)
    }

    @Test("the last words of a server that answers, says why and closes at once are heard", arguments: 0..<30) func lastWords(_ round: Int)
        async throws
    {
        let (messages, end) = try await collect { _, peer in
            try await peer.accept(with: ServerFrame.join([ServerFrame.data([1]), ServerFrame.ping([1]), ServerFrame.data([2])]))
        }
        #expect(messages == [binary([1]), binary([2])])
        #expect(end.code == .connectionLost)
    }

    @Test("garbage ends the connection with a protocol error that the server is told") func garbage() async throws {
        let (messages, end) = try await collect { _, peer in
            try await peer.accept(with: ServerFrame.data([1]))
            try await peer.send(ByteBuffer(bytes: [0xFF, 0xFF, 0xFF]))
            guard let close = try await peer.readControl() else { return }
            #expect(close.payload == [3, 234])
        }
        #expect(messages == [binary([1])])
        #expect(end.code == .protocolViolation)
    }

    @Test("a silent server is pinged and given up") func silence() async throws {
        var options = WebSocketOptions.patient
        options.pingInterval = .milliseconds(50)
        options.pongTimeout = .milliseconds(50)
        let (_, end) = try await collect(options) { _, peer in
            try await peer.accept()
            let ping = try await peer.readControl()
            #expect(ping?.opcode == 9)
            try await peer.drain()
        }
        #expect(end.code == .pongMissing)
    }

    @Test("a server that only answers pings meets the idle limit") func idle() async throws {
        var options = WebSocketOptions.patient
        options.pingInterval = .milliseconds(30)
        options.pongTimeout = .seconds(10)
        options.idleLimit = .milliseconds(200)
        let (_, end) = try await collect(options) { _, peer in
            try await peer.accept()
            while let frame = try await peer.readControl(), frame.opcode == 9 { try await peer.send(ServerFrame.data(frame.payload, opcode: 10)) }
        }
        #expect(end.code == .idle)
    }

    @Test(
        "an answer that is no upgrade is told apart",
        arguments: [
            (
                "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nslow",
                .upgradeRefused(status: 429, retryAfter: .seconds(7))
            ),
            ("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n", .upgradeRefused(status: 405, retryAfter: nil)),
            ("HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\nplease", .upgradeRefused(status: 426, retryAfter: nil)),
            (
                "HTTP/1.1 503 Unavailable\r\nContent-Length: 100000\r\n\r\n" + String(repeating: "x", count: 600),
                .upgradeRefused(status: 503, retryAfter: nil)
            ),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n", .upgradeInvalid),
            ("SSH-2.0-OpenSSH_9\r\n\r\n", .upgradeInvalid), ("", .connectFailed),
        ] as [(String, WebSocketError.Code)])
    func refusals(_ answer: String, _ code: WebSocketError.Code) async throws {
        let (_, end) = try await collect { _, peer in
            try await peer.send(ByteBuffer(string: answer))
            if answer.contains("100000") { try await peer.drain() }
        }
        #expect(end.code == code)
        if case .upgradeRefused(429, _) = code { #expect(end.cause == "slow") }
    }

    @Test("a server that never answers the upgrade is given up in time") func lateUpgrade() async throws {
        var options = WebSocketOptions.patient
        options.connectTimeout = .milliseconds(200)
        let (_, end) = try await collect(options) { _, peer in try await peer.drain() }
        #expect(end.code == .connectTimedOut)
    }

    @Test("nobody listening is an error, not a wait") func refusedPort() async throws {
        let endpoint = try WebSocketEndpoint("ws://127.0.0.1:1")
        let error = await #expect(throws: WebSocketError.self) { try await WebSocketConnection.withConnection(to: endpoint, path: "/") { _ in } }
        #expect(error?.code == .connectFailed)
    }

    @Test("a reader that pauses stops the server, holds no more than its bound, and then gets all of it") func backpressure() async throws {
        var options = WebSocketOptions.patient
        options.queuedMessagesMax = 16
        options.queuedBytesMax = 100_000
        let total = 20_000
        let sent = Mutex(0)
        let (paused, seen) = try await WebSocketScript.serve { _, peer in
            try await peer.accept()
            for number in 0..<total {
                try await peer.send(ServerFrame.data(Array(repeating: UInt8(number % 251), count: 2_000)))
                sent.withLock { $0 = number + 1 }
            }
            try await peer.send(ServerFrame.close(code: 1000))
            try await peer.drain()
        } client: { [options] server in
            let endpoint = try WebSocketEndpoint("ws://127.0.0.1:\(server.port)")
            return try await WebSocketConnection.withConnection(to: endpoint, path: "/", options: options) { connection in
                while connection.queued.messages < 16 {
                    await Task.yield()
                    try Task.checkCancellation()
                }
                // No kernel buffers 40 MB: while nobody reads, the server cannot have sent all of it.
                #expect(sent.withLock { $0 } < total)
                let paused = connection.queued
                var seen = 0
                while true {
                    do {
                        for message in try await connection.nextMessages(messagesMax: 5, bytesMax: 50_000) {
                            guard case .binary(let buffer) = message, buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) == UInt8(seen % 251)
                            else {
                                return (paused, -seen)
                            }
                            seen += 1
                        }
                        #expect(connection.queued.messages <= 16)
                    } catch is WebSocketError {
                        return (paused, seen)
                    }
                }
            }
        }
        #expect(paused.messages == 16)
        #expect(seen == total)
    }

    @Test("a cancelled reader returns at once") func cancellation() async throws {
        try await WebSocketScript.serve { _, peer in
            try await peer.accept()
            try await peer.drain()
        } client: { server in
            let endpoint = try WebSocketEndpoint("ws://127.0.0.1:\(server.port)")
            try await WebSocketConnection.withConnection(to: endpoint, path: "/") { connection in
                await withTaskGroup(of: Bool.self) { group in
                    group.addTask {
                        do {
                            _ = try await connection.nextMessages(messagesMax: 1, bytesMax: 1)
                            return false
                        } catch { return error is CancellationError }
                    }
                    group.cancelAll()
                    for await isCancelled in group { #expect(isCancelled) }
                }
            }
        }
    }

    @Test("frames come over TLS, also together with the upgrade's answer") func tls() async throws {
        let certificate = try await TestCertificate.make()
        let chain = try NIOSSLCertificate.fromPEMFile(certificate.certificatePath).map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(file: certificate.keyPath, format: .pem)
        let context = try NIOSSLContext(configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
        var options = WebSocketOptions.patient
        options.additionalTrustRootFiles = [certificate.authorityPath]
        let (trusted, refused) = try await WebSocketScript.serve(tls: context) { _, peer in
            try await peer.accept(with: ServerFrame.data([1, 2, 3]))
            try await peer.drain()
        } client: { [options] server in
            let endpoint = try WebSocketEndpoint("wss://localhost:\(server.port)")
            let trusted = try await WebSocketConnection.withConnection(to: endpoint, path: "/", options: options) { connection in
                try await connection.nextMessages(messagesMax: 1, bytesMax: 100)
            }
            do {
                try await WebSocketConnection.withConnection(to: endpoint, path: "/") { _ in }
                return (trusted, WebSocketError.Code?.none)
            } catch let error as WebSocketError {
                return (trusted, error.code)
            }
        }
        #expect(trusted == [binary([1, 2, 3])])
        #expect(refused == .connectFailed)
    }
}
