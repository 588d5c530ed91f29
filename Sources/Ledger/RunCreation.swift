public import Events

/// A run as an application asks for it.
public struct RunCreation: Hashable, Sendable {
    /// Nil: one is made, time-ordered, behind `generatedPrefix`.
    public var id: RunID?
    /// Of an id that is made: `orders/` gives `orders/0199…`.
    public var generatedPrefix: String
    /// 1 to 64 of `A-Z a-z 0-9 . _ -`.
    public var kind: String
    /// A JSON object in UTF-8, at most ``metadataBytesMax``.
    public var metadata: [UInt8]
    /// Of the owner; a creation that is repeated with it finds the run of the first one. Empty: none.
    public var idempotencyKey: String
    /// Who creates it: the name of a token; empty without one.
    public var owner: String
    public var sinks: [String]

    public static let metadataBytesMax = 16 << 10
    public static let idempotencyKeyBytesMax = 256
    public static let kindBytesMax = 64

    public init(
        id: RunID? = nil, generatedPrefix: String = "", kind: String, metadata: [UInt8] = Array("{}".utf8), idempotencyKey: String = "",
        owner: String = "", sinks: [String] = ["outlet"]
    ) {
        self.id = id
        self.generatedPrefix = generatedPrefix
        self.kind = kind
        self.metadata = metadata
        self.idempotencyKey = idempotencyKey
        self.owner = owner
        self.sinks = sinks
    }

    public static func isKind(_ text: String) -> Bool {
        (1...kindBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

/// What was said of a run at its creation and its end.
public struct RunDetails: Hashable, Sendable {
    /// Who created it; empty: somebody without a token.
    public var owner: String
    /// A JSON object in UTF-8.
    public var metadata: [UInt8]
    public var endReason: String?
    public var endedBy: String?
}
