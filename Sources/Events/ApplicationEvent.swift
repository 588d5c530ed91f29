/// An event as an application hands it in for a run.
public struct ApplicationEvent: Hashable, Sendable {
    /// Segments of `A-Z a-z 0-9 _ : / -` with dots between them, 1 to 256 bytes: `order.paid`.
    public var type: String
    /// Whose latest event a snapshot holds, 1 to 512 bytes without U+0000; empty: the event is of no key.
    public var key: String
    /// 0 to 2^63-1, higher than the last one of the key; nil: the one after it (1 for a new key). Only with a key.
    public var keySequence: Int64?
    /// Names the event within its run, 1 to 256 bytes without U+0000, so that a repeated append finds it; empty: it has no such name.
    public var dedupKey: String
    /// A JSON value in UTF-8, without white space between its tokens.
    public var payload: [UInt8]

    public static let typeBytesMax = 256
    public static let keyBytesMax = 512
    public static let dedupKeyBytesMax = 256
    public static let payloadBytesMax = 256 << 10
    /// Events of one append.
    public static let appendMax = 10_000

    public init(type: String, key: String = "", keySequence: Int64? = nil, dedupKey: String = "", payload: [UInt8]) {
        self.type = type
        self.key = key
        self.keySequence = keySequence
        self.dedupKey = dedupKey
        self.payload = payload
    }

    public static func isType(_ text: some StringProtocol) -> Bool {
        guard (1...typeBytesMax).contains(text.utf8.count) else { return false }
        var isBegin = true
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "."):
                if isBegin { return false }
                isBegin = true
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "-"):
                isBegin = false
            default: return false
            }
        }
        return !isBegin
    }

    /// What Postgres' `text` can hold, within a bound.
    public static func isKey(_ text: String, bytesMax: Int) -> Bool {
        (1...bytesMax).contains(text.utf8.count) && !text.utf8.contains(0)
    }
}
