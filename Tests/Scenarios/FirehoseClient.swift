import Foundation
import Synchronization

/// A client of `/streams/firehose` that follows the merged firehose as a browser would: it keeps the last id, and reconnects with it.
///
/// Speaks HTTP by hand on a thread of its own, and shares no code with the API. What it received is an ``ActualLog``: a seq that is not one above the
/// last one of its run, and each declared `gap`, is a break in it.
final class FirehoseClient: Sendable {
    private struct State {
        var log = ActualLog()
        var lastID = ""
        var connections = 0
        var closings: [String] = []
        var isStopped = false
    }

    private let state = Mutex(State())
    private let port: Int
    private let cursor: String
    /// Readable from ``stop()`` on: it ends each wait of the thread at once.
    private let stopped = Pipe()
    /// Between two connections, as a browser waits too.
    private static let retryMilliseconds: Int32 = 100

    /// Begins to follow at once; it may be made before the API listens.
    init(port: Int, cursor: String = "earliest") {
        self.port = port
        self.cursor = cursor
        Thread.detachNewThread { [self] in
            repeat { followOnce() } while wait(milliseconds: Self.retryMilliseconds)
        }
    }

    /// Records, identity and account events so far.
    var count: Int { state.withLock { $0.log.count } }
    /// Answered connections so far.
    var connections: Int { state.withLock { $0.connections } }
    /// Why the server said that it closes, in order.
    var closings: [String] { state.withLock { $0.closings } }
    var received: ActualLog { state.withLock { $0.log } }

    /// What was received since the last call, which is given up.
    func takeReceived() -> ActualLog {
        state.withLock { state in
            defer { state.log.forgetEvents() }
            return state.log
        }
    }

    /// Ends the thread; whoever makes a client calls it.
    func stop() {
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        if isFirst { try? stopped.fileHandleForWriting.close() }
    }

    /// Until `descriptor` has something to read, or so long (-1: for ever); false once the client is stopped.
    private func wait(for descriptor: Int32 = -1, milliseconds: Int32) -> Bool {
        var ends = [
            pollfd(fd: stopped.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&ends, 2, milliseconds) < 0, errno == EINTR {}
        return ends[0].revents == 0
    }

    /// One connection to its end.
    private func followOnce() {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
        guard connected else { return }
        let lastID = state.withLock { $0.lastID }
        var request = "GET /streams/firehose?cursor=\(cursor) HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
        if !lastID.isEmpty { request += "Last-Event-ID: \(lastID)\r\n" }
        let bytes = Array((request + "\r\n").utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return }
        read(descriptor)
    }

    private func read(_ descriptor: Int32) {
        var parser = EventStreamReader()
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while wait(for: descriptor, milliseconds: -1) {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            let wasOpen = parser.isOpen
            guard let events = parser.take(chunk[..<count]) else { return }
            if parser.isOpen, !wasOpen { state.withLock { $0.connections += 1 } }
            guard !events.isEmpty else { continue }
            state.withLock { state in
                for event in events { Self.take(event, &state) }
            }
        }
    }

    private static func take(_ event: EventStreamReader.Event, _ state: inout State) {
        if !event.id.isEmpty { state.lastID = event.id }
        guard !event.data.isEmpty else { return }
        switch event.name {
        case "closing": state.closings.append(event.data)
        case "gap": state.log.breaks.append("the client was told of a gap: \(event.data)")
        default:
            guard let object = try? JSONSerialization.jsonObject(with: Data(event.data.utf8)) as? [String: Any] else {
                state.log.breaks.append("the client received what is no JSON: \(event.data.prefix(120))")
                return
            }
            state.log.take(object)
        }
    }
}
