/// A text as a part of a key: equal only to a text of the same bytes, ordered by them.
///
/// Swift's own `String` holds two spellings of one character for equal (`é` as one scalar or as two), which are two keys to everybody else.
public struct ExactText: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ text: some StringProtocol) {
        var text = String(text)
        text.makeContiguousUTF8()
        description = text
    }

    public static func == (a: Self, b: Self) -> Bool { a.description.utf8.elementsEqual(b.description.utf8) }

    public static func < (a: Self, b: Self) -> Bool { a.description.utf8.lexicographicallyPrecedes(b.description.utf8) }

    public func hash(into hasher: inout Hasher) {
        for byte in description.utf8 { hasher.combine(byte) }
        // No byte of UTF-8: two texts in a row are not another two.
        hasher.combine(0xFF as UInt8)
    }
}
