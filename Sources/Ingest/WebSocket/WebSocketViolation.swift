/// How a server broke the framing of RFC 6455 (section 5). Nothing behind it on the connection can be read.
struct WebSocketViolation: Error, Hashable, CustomStringConvertible {
    enum Kind: String, Hashable {
        case reservedBits = "a reserved bit is set although no extension was agreed"
        case reservedOpcode = "a reserved opcode"
        case maskedFrame = "a masked frame from a server"
        case fragmentedControl = "a control frame in fragments"
        case longControl = "a control frame above 125 bytes"
        case lengthAboveLimit = "a length above 2^62"
        case continuationWithoutStart = "a continuation without a message"
        case messageInsideMessage = "a new message inside a fragmented one"
        case closePayload = "a close frame with a payload of one byte"
    }
    let kind: Kind
    var description: String { kind.rawValue }
}
