/// A collection (NSID), or all collections below one of its dots: `app.bsky.feed.post`, `app.bsky.feed.*`, `app.*`, `*`.
///
/// A wildcard stands only alone or after the last dot, and for one or more whole segments: `app.bsky.feed.*` takes neither
/// `app.bsky.feedback.post` nor `app.bsky.feed`.
public struct CollectionPattern: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    /// The text up to and with the dot in front of the wildcard; nil where the pattern has none.
    private let prefix: String?

    /// Nil where the text is not of that form: 1 to 317 characters of `A-Z a-z 0-9 . -`, no empty segment, at most one wildcard, last.
    public init?(_ text: some StringProtocol) {
        guard (1...317).contains(text.utf8.count) else { return nil }
        let segments = text.split(separator: ".", omittingEmptySubsequences: false)
        let hasWildcard = segments.last == "*"
        guard segments.dropLast(hasWildcard ? 1 : 0).allSatisfy({ Self.isSegment(String($0)) }) else { return nil }
        description = String(text)
        prefix = hasWildcard ? String(text.dropLast()) : nil
    }

    public func matches(_ collection: String) -> Bool {
        guard let prefix else { return collection == description }
        return collection.utf8.count > prefix.utf8.count && collection.utf8.starts(with: prefix.utf8)
    }

    private static func isSegment(_ segment: String) -> Bool {
        !segment.isEmpty
            && segment.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "-"): true
                default: false
                }
            }
    }
}
