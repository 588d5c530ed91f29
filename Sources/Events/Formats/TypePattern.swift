/// The type of an application's event, or all types below one of its dots: `order.paid`, `order.*`, `*`.
///
/// A wildcard stands only alone or after the last dot, and for one or more whole segments, as that of a ``CollectionPattern`` does.
public struct TypePattern: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    /// The text up to and with the dot in front of the wildcard; nil where the pattern has none.
    private let prefix: String?

    /// Nil where the text is neither a type nor one with a wildcard as its last segment.
    public init?(_ text: some StringProtocol) {
        if text == "*" {
            prefix = ""
        } else if text.hasSuffix(".*"), ApplicationEvent.isType(text.dropLast(2)) {
            prefix = String(text.dropLast())
        } else if ApplicationEvent.isType(text) {
            prefix = nil
        } else {
            return nil
        }
        description = String(text)
    }

    public func matches(_ type: String) -> Bool {
        guard let prefix else { return type == description }
        return type.utf8.count > prefix.utf8.count && type.utf8.starts(with: prefix.utf8)
    }
}
