import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// One event (or comment) of an event stream as a client sees it.
struct SSEMessage: Hashable {
    var id: String?
    var event: String?
    var data: String?
    var comment: String?
    var retry: Int?
}

/// Reads an event stream over a real socket.
struct SSEClient {
    let status: UInt
    let headers: HTTPHeaders
    private var body: HTTPClientResponse.Body.AsyncIterator
    private var buffered: [UInt8] = []
    /// Up to here it was given out.
    private var taken = 0
    /// The last id that was seen, as a browser keeps it.
    private(set) var lastID: String?

    init(_ url: String, lastEventID: String? = nil) async throws {
        var request = HTTPClientRequest(url: url)
        if let lastEventID { request.headers.add(name: "Last-Event-ID", value: lastEventID) }
        let response = try await TestHTTP.client.execute(request, timeout: .minutes(5))
        status = response.status.code
        headers = response.headers
        body = response.body.makeAsyncIterator()
    }

    /// The next message, nil at the end of the stream.
    mutating func next() async throws -> SSEMessage? {
        var scanned = taken
        while true {
            while scanned + 1 < buffered.count {
                if buffered[scanned] == 0x0A, buffered[scanned + 1] == 0x0A {
                    let message = Self.parse(String(decoding: buffered[taken..<scanned], as: UTF8.self))
                    taken = scanned + 2
                    lastID = message.id ?? lastID
                    return message
                }
                scanned += 1
            }
            buffered.removeSubrange(..<taken)
            scanned -= taken
            taken = 0
            guard let bytes = try await body.next() else { return nil }
            buffered += bytes.readableBytesView
        }
    }

    /// The next message with data; comments and retry times are passed over.
    mutating func nextEvent() async throws -> SSEMessage? {
        while let message = try await next() {
            if message.data != nil { return message }
        }
        return nil
    }

    private static func parse(_ block: String) -> SSEMessage {
        var message = SSEMessage()
        for line in block.split(separator: "\n") {
            if line.hasPrefix(": ") { message.comment = String(line.dropFirst(2)) }
            if line.hasPrefix("id: ") { message.id = String(line.dropFirst(4)) }
            if line.hasPrefix("event: ") { message.event = String(line.dropFirst(7)) }
            if line.hasPrefix("retry: ") { message.retry = Int(line.dropFirst(7)) }
            if line.hasPrefix("data: ") { message.data = (message.data.map { $0 + "\n" } ?? "") + line.dropFirst(6) }
        }
        return message
    }
}
