/// What comes next of an answer that is sent in parts.
enum ReplyPart: Sendable {
    case bytes([UInt8])
    /// Nothing is sent until the gate opens or the connection ends.
    case silence(ReplyGate)
    /// The connection ends here, in the middle of the answer.
    case cut
}
