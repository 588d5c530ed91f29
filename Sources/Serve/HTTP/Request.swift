import NIOHTTP1

/// A request's target and the headers that matter, taken apart; its body, where it has one, is not here yet.
struct Request: Sendable {
    let method: HTTPMethod
    /// Percent-decoded, with a leading slash.
    let path: String
    /// In the order of the query, percent-decoded; `+` is a space.
    let query: [(name: String, value: String)]
    let lastEventID: String?
    let body: BodyHeaders
    /// What a browser says of the page that asks; others send none.
    let origin: String?
    /// The port that it came to; nil where that is not known.
    let localPort: Int?
    /// The header as it is.
    let authorization: String?
    /// The value of `access_token`, which stands in no other place: not in ``query``, and in no message.
    let querySecret: String?
    /// Which token its connection counts for; nil where that is not known.
    let connection: ConnectionAccount?
    /// The client asks for the connection to become a WebSocket: a stream does, other paths answer as ever (RFC 9110 §7.8).
    let wantsWebSocket: Bool

    static let targetBytesMax = 16 << 10

    /// Throws `targetTooLong` or `badRequest` (escapes that are not hexadecimal or not UTF-8, a target that is no path).
    init(
        method: HTTPMethod, target: String, headers: HTTPHeaders = [:], localPort: Int? = nil, connection: ConnectionAccount? = nil
    ) throws(Problem) {
        guard target.utf8.count <= Self.targetBytesMax else {
            throw Problem(.targetTooLong, "the target has \(target.utf8.count) bytes", allowed: "at most \(Self.targetBytesMax) bytes")
        }
        self.method = method
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let rawPath = parts.first, rawPath.hasPrefix("/") else {
            throw Problem(.badRequest, "the target is not a path", given: String(parts.first ?? ""), allowed: "/…")
        }
        path = try Self.decode(rawPath, plusIsSpace: false)
        var query: [(name: String, value: String)] = []
        var querySecret: String?
        if parts.count == 2 {
            for pair in parts[1].split(separator: "&") {
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let name = try Self.decode(sides[0], plusIsSpace: true)
                let raw = sides.count == 2 ? sides[1] : ""
                if name == Self.secretParameter {
                    // What cannot be decoded is no token, and is not told back.
                    querySecret = (try? Self.decode(raw, plusIsSpace: false)) ?? ""
                } else {
                    query.append((name, try Self.decode(raw, plusIsSpace: true)))
                }
            }
        }
        self.query = query
        lastEventID = headers.first(name: "Last-Event-ID")
        body = BodyHeaders(headers)
        origin = headers.first(name: "Origin")
        self.localPort = localPort
        authorization = headers.first(name: "Authorization")
        self.querySecret = querySecret
        self.connection = connection
        wantsWebSocket =
            method == .GET && Self.asksForUpgrade(headers) && headers[canonicalForm: "Upgrade"].contains { $0.lowercased() == "websocket" }
    }

    /// Behind such a request the parser of HTTP reads nothing more.
    static func asksForUpgrade(_ headers: HTTPHeaders) -> Bool {
        headers.contains(name: "Upgrade") && headers[canonicalForm: "Connection"].contains { $0.lowercased() == "upgrade" }
    }

    private static func decode(_ text: Substring, plusIsSpace: Bool) throws(Problem) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || (plusIsSpace && $0 == UInt8(ascii: "+")) }) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                    throw Problem(.badRequest, "a percent escape is not two hexadecimal digits", given: String(text))
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw Problem(.badRequest, "percent escapes do not give UTF-8", given: String(text))
        }
        return decoded
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
