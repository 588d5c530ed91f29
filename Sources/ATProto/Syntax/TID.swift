public import Events

/// A timestamp identifier: 53 bits of microseconds since 1970 and 10 bits of a clock's id, as 13 characters that sort like the number.
///
/// Revisions of repositories are TIDs and compare as text. Source: the specification of record keys.
public struct TID: Hashable, Comparable, Sendable, CustomStringConvertible {
    private static let alphabet: [UInt8] = Array("234567abcdefghijklmnopqrstuvwxyz".utf8)
    public static let maxMicroseconds: Int64 = (1 << 53) - 1

    /// The top bit is 0 in every TID that somebody makes; the syntax allows one that has it set, and then it is kept.
    public let value: UInt64

    /// `microseconds` is cut to 53 bits, `clockID` to 10.
    public init(microseconds: Int64, clockID: Int) {
        value = UInt64(microseconds & Self.maxMicroseconds) << 10 | UInt64(clockID & 1023)
    }

    /// Nil where the text is no TID.
    public init?(_ text: some StringProtocol) { self.init(utf8: text.utf8) }

    init?(utf8: some Collection<UInt8>) {
        guard utf8.count == 13, let first = utf8.first, first <= UInt8(ascii: "j") else { return nil }
        var value: UInt64 = 0
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "2")...UInt8(ascii: "7"): value = value << 5 | UInt64(byte - UInt8(ascii: "2"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = value << 5 | UInt64(byte - UInt8(ascii: "a") + 6)
            default: return nil
            }
        }
        self.value = value
    }

    public var time: WallTime { WallTime(microseconds: Int64(value >> 10)) }
    public var clockID: Int { Int(value & 1023) }

    public var description: String {
        var text = [UInt8](repeating: 0, count: 13)
        for index in 0..<13 { text[index] = Self.alphabet[Int(value >> UInt64(60 - index * 5) & 31)] }
        return String(decoding: text, as: UTF8.self)
    }

    public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}
