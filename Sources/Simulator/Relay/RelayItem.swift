/// What one relay or labeler is given to send.
struct RelayItem: Sendable {
    enum Content: Sendable {
        case message(SentMessage)
        /// A frame of the relay's own making that belongs to no account.
        case injected(FaultKind, time: [UInt8])
        /// Of a labeler's stream.
        case labels(LabelsMessage)
    }

    var content: Content
    /// Of `duplicate`, `reorder` and `dropCommit`, what this relay does to it.
    var faults: Set<FaultKind> = []
}
