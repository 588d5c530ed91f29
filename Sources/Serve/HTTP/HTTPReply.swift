import Events
import NIOHTTP1

/// A whole response: small enough to be built before it is written.
struct HTTPReply: Sendable {
    var status: HTTPResponseStatus
    var contentType: String
    var headers: [(String, String)] = []
    var body: [UInt8]

    init(status: HTTPResponseStatus = .ok, contentType: String, headers: [(String, String)] = [], body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    static func json(_ status: HTTPResponseStatus = .ok, _ write: (inout JSONWriter) -> Void) -> HTTPReply {
        var json = JSONWriter()
        write(&json)
        return HTTPReply(status: status, contentType: "application/json", headers: [("Cache-Control", "no-store")], body: json.take())
    }

    /// 204: to an event source it means "do not come back".
    static let nothingMore = HTTPReply(status: .noContent, contentType: "", headers: [("Cache-Control", "no-store")], body: [])
}
