import Foundation
import TestSupport

/// One connection to the stream of a run, over either wire, as a stranger would write it: it blocks its thread, and shares no code with the server.
final class RunStream {
    enum Wire: Sendable { case sse, webSocket }

    enum Item: Sendable {
        /// As the event says; `number` is that of the payload, nil where there is none.
        case event(run: String, seq: Int64, name: String, number: Int64?)
        case gap(String)
        /// Last words: the event `closing`, or a close frame's code and reason.
        case end(String)
    }

    /// The server says that nothing follows: 204, which a WebSocket hears as a close frame.
    private(set) var isOver = false
    private let descriptor: Int32
    private let wire: Wire
    private var bytes: [UInt8] = []
    private var events = EventStreamReader()
    private var items: [Item] = []
    private var hasEnded = false

    /// No server of a test is silent for so long: a heartbeat comes before.
    private static let secondsMax = 60

    init(port: Int, run: String, after seq: Int64, wire: Wire) throws {
        self.wire = wire
        descriptor = try Self.connected(port)
        var request = "GET /runs/\(run)/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nLast-Event-ID: \(seq)\r\n"
        if wire == .webSocket {
            request += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        }
        let sent = Array((request + "\r\n").utf8)
        guard send(descriptor, sent, sent.count, Int32(MSG_NOSIGNAL)) == sent.count else { throw TestSupportError("the request could not be sent") }
        let head = try readHead()
        let status = head.split(separator: " ").dropFirst().first ?? ""
        switch (wire, status) {
        case (.sse, "204"): isOver = true
        case (.sse, "200"): take(events.take(bytes[...]) ?? [])
        case (.webSocket, "101"): bytes.removeSubrange(..<head.utf8.count)
        default: throw TestSupportError("\(run) after \(seq): \(head.prefix(300))")
        }
    }

    deinit { close(descriptor) }

    /// The next item; nil where the connection ended without a further word. Throws where nothing comes at all.
    func next() throws -> Item? {
        while items.isEmpty {
            if wire == .webSocket, let (opcode, payload) = frame() {
                take(opcode, payload)
                continue
            }
            guard !isOver, !hasEnded, try more() else { return nil }
            guard wire == .sse else { continue }
            guard let new = events.take(bytes[...]) else { return nil }
            take(new)
        }
        return items.removeFirst()
    }

    private static func connected(_ port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw TestSupportError("socket: errno \(errno)") }
        var bound = timeval(tv_sec: secondsMax, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
        guard isConnected else {
            close(descriptor)
            throw TestSupportError("connect: errno \(errno)")
        }
        return descriptor
    }

    /// Reads more; what was there before is kept where frames are taken from it.
    private func more() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        var count = recv(descriptor, &chunk, chunk.count, 0)
        while count < 0, errno == EINTR { count = recv(descriptor, &chunk, chunk.count, 0) }
        if count < 0, errno == EAGAIN { throw TestSupportError("nothing came for \(Self.secondsMax) s") }
        if wire == .sse, events.isOpen { bytes = [] }
        guard count > 0 else { return false }
        bytes += chunk[..<count]
        return true
    }

    private func readHead() throws -> String {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let at = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) { return String(decoding: bytes[..<(at + 4)], as: UTF8.self) }
            guard try more() else { throw TestSupportError("the server closed before it answered") }
        }
    }

    private func take(_ new: [EventStreamReader.Event]) {
        for event in new where !event.data.isEmpty { take(id: event.id, name: event.name, data: Self.object(Array(event.data.utf8)) ?? [:]) }
    }

    private func take(id: String, name: String, data: [String: Any]) {
        switch name {
        case "open", "heartbeat": break
        case "gap": items.append(.gap("\(data)"))
        case "closing": items.append(.end("\(data)"))
        default:
            let number = (data["payload"] as? [String: Any])?["n"] as? NSNumber
            let run = data["run"] as? String ?? ""
            items.append(.event(run: run, seq: Int64(id) ?? -1, name: name, number: number?.int64Value))
        }
    }

    private func take(_ opcode: UInt8, _ payload: [UInt8]) {
        switch opcode {
        case 1:
            guard let object = Self.object(payload) else { return items.append(.end("no JSON: \(String(decoding: payload, as: UTF8.self))")) }
            take(id: object["id"] as? String ?? "", name: object["event"] as? String ?? "", data: object["data"] as? [String: Any] ?? [:])
        case 8:
            hasEnded = true
            let code = payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : 1005
            items.append(.end("\(code) \(String(decoding: payload.dropFirst(2), as: UTF8.self))"))
        default: break
        }
    }

    private static func object(_ bytes: [UInt8]) -> [String: Any]? { try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] }

    private func frame() -> (UInt8, [UInt8])? {
        guard bytes.count >= 2 else { return nil }
        var at = 2
        var length = Int(bytes[1] & 0x7F)
        let extra = length == 126 ? 2 : length == 127 ? 8 : 0
        guard bytes.count >= at + extra else { return nil }
        if extra > 0 {
            length = bytes[at..<at + extra].reduce(0) { $0 << 8 | Int($1) }
            at += extra
        }
        guard bytes.count >= at + length else { return nil }
        defer { bytes.removeSubrange(..<(at + length)) }
        return (bytes[0] & 0x0F, Array(bytes[at..<at + length]))
    }
}
