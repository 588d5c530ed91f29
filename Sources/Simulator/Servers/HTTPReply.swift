import FoundationEssentials
import NIOCore
import NIOHTTP1

/// An answer of the simulator's servers.
struct HTTPReply: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// Parts until nil; sent chunked, so that a record of any length needs little memory. What throws ends the connection.
        case parts(@Sendable () async throws -> ReplyPart?)
        /// No answer at all: the connection ends.
        case hangUp
    }

    var status: HTTPResponseStatus
    var headers: HTTPHeaders
    var body: Body

    init(status: HTTPResponseStatus = .ok, contentType: String, body: Body) {
        self.status = status
        headers = ["Content-Type": contentType]
        self.body = body
    }

    /// JSON of a value, keys sorted.
    init(status: HTTPResponseStatus = .ok, json value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = (try? encoder.encode(value)).map { [UInt8]($0) } ?? Array("{}".utf8)
        self.init(status: status, contentType: "application/json", body: .bytes(bytes))
    }

    /// JSON that is written already.
    init(status: HTTPResponseStatus = .ok, jsonText: String) {
        self.init(status: status, contentType: "application/json", body: .bytes(Array(jsonText.utf8)))
    }

    /// An error as XRPC writes it.
    init(status: HTTPResponseStatus, error: String, message: String = "") {
        self.init(status: status, json: ["error": error, "message": message.isEmpty ? status.reasonPhrase : message])
    }

    static var hangUp: HTTPReply { HTTPReply(contentType: "", body: .hangUp) }
    static var notFound: HTTPReply { HTTPReply(status: .notFound, error: "NotFound") }
}
