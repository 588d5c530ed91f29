import Foundation
import NIOCore
import NIOPosix

@testable import Simulator

/// A client of `subscribeRepos` or `subscribeLabels` for tests: reads frames until it has enough or the connection ends.
///
/// Speaks HTTP and WebSocket by hand: NIO's client loses frames that come with the 101 when the server closes right after them.
enum RelayReader {
    enum End: Hashable, Sendable { case enough, closed, refused }

    /// Reads from a cursor on; `isEnough` sees each frame and says when to stop.
    static func read(
        _ address: String, path: String = RelayServer.relayPath, cursor: Int64?, _ isEnough: (_ frame: [UInt8]) async throws -> Bool
    ) async throws -> End {
        let parts = address.split(separator: ":")
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: String(parts[0]), port: Int(parts[1]) ?? 0) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
            }
        let uri = path + (cursor.map { "?cursor=\($0)" } ?? "")
        let request = "GET \(uri) HTTP/1.1\r\nHost: \(address)\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
            var buffer = ByteBuffer()
            var isOpen = false
            do {
                for try await bytes in inbound {
                    buffer.writeImmutableBuffer(bytes)
                    if !isOpen {
                        let text = String(decoding: buffer.readableBytesView.prefix(4096), as: UTF8.self)
                        guard let end = text.range(of: "\r\n\r\n") else { continue }
                        guard text.hasPrefix("HTTP/1.1 101") else { return .refused }
                        buffer.moveReaderIndex(forwardBy: text[..<end.upperBound].utf8.count)
                        isOpen = true
                    }
                    while let frame = try frame(&buffer) {
                        if frame.opcode == 2, try await isEnough(frame.payload) { return .enough }
                    }
                    buffer.discardReadBytes()
                }
            } catch is BrokenFraming {
                return .closed
            } catch is IOError {
                return .closed
            }
            return .closed
        }
    }

    private struct BrokenFraming: Error {}

    /// The next whole frame, nil where it is not there yet.
    private static func frame(_ buffer: inout ByteBuffer) throws -> (opcode: UInt8, payload: [UInt8])? {
        guard let head = buffer.getBytes(at: buffer.readerIndex, length: 2) else { return nil }
        guard head[0] & 0x70 == 0, head[0] & 0x80 != 0, [2, 8, 9, 10].contains(head[0] & 15), head[1] & 0x80 == 0 else { throw BrokenFraming() }
        var length = Int(head[1])
        var headLength = 2
        if length == 126 {
            guard let long = buffer.getInteger(at: buffer.readerIndex + 2, as: UInt16.self) else { return nil }
            (length, headLength) = (Int(long), 4)
        } else if length == 127 {
            guard let long = buffer.getInteger(at: buffer.readerIndex + 2, as: UInt64.self) else { return nil }
            (length, headLength) = (Int(long), 10)
        }
        guard let payload = buffer.getBytes(at: buffer.readerIndex + headLength, length: length) else { return nil }
        buffer.moveReaderIndex(forwardBy: headLength + length)
        return (head[0] & 15, payload)
    }
}
