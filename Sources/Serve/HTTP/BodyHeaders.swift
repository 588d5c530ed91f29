import NIOHTTP1

/// What a request's headers say of its body.
struct BodyHeaders: Hashable, Sendable {
    /// Whether there is one; a length of 0 is none.
    let isThere: Bool
    /// Nil where it comes in chunks.
    let length: Int?
    /// Lower case, without its parameters; nil where none is said.
    let mediaType: String?
    /// Lower case; nil where the body is as it is.
    let encoding: String?
    /// Lower case: what the client wants to hear before it sends the body.
    let expectation: String?

    init(_ headers: HTTPHeaders) {
        let isChunked = headers.contains(name: "Transfer-Encoding")
        // A length that is no number is refused by the parser.
        length = isChunked ? nil : headers.first(name: "Content-Length").flatMap { Int($0) }
        isThere = isChunked || (length ?? 0) > 0
        mediaType = headers.first(name: "Content-Type").flatMap { $0.split(separator: ";", omittingEmptySubsequences: false).first }.map {
            Self.trimmed($0).lowercased()
        }
        encoding = headers.first(name: "Content-Encoding").map { Self.trimmed($0[...]).lowercased() }.flatMap { $0 == "identity" ? nil : $0 }
        expectation = headers.first(name: "Expect").map { Self.trimmed($0[...]).lowercased() }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var utf8 = text.utf8
        while let first = utf8.first, first == 0x20 || first == 0x09 { utf8.removeFirst() }
        while let last = utf8.last, last == 0x20 || last == 0x09 { utf8.removeLast() }
        return Substring(utf8)
    }
}
