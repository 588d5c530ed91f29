/// The name of a sink: 1 to 48 bytes of `a-z 0-9 _ -`, a letter first. `outlet` is Weir's own: runs' outlet streams.
public struct SinkName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let description: String

    public static let allowed = "1 to 48 of a-z 0-9 _ -, a letter first; not outlet, which is Weir's own"

    /// Nil where the text is not of that form, or `outlet`.
    public init?(_ text: some StringProtocol) {
        guard let first = text.utf8.first, Self.isLetter(first), text.utf8.count <= 48, text != "outlet" else { return nil }
        guard text.utf8.allSatisfy({ Self.isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "_-".utf8.contains($0) }) else {
            return nil
        }
        description = String(text)
    }

    public static func < (a: Self, b: Self) -> Bool { a.description < b.description }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
}
