public import Events

/// A cursor for quick restarts; never the truth. Missing means: ask the ledger for the committed watermark.
public struct CursorHint: Hashable, Sendable {
    public var session: Int64
    public var position: Position
    public init(session: Int64, position: Position) {
        self.session = session
        self.position = position
    }

    /// As it stands in Redis: `<session>/<epoch>:<seq>`.
    var text: String { "\(session)/\(position)" }

    /// Nil where the text is of another form.
    init?(text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let session = Int64(parts[0]), let position = Position(parts[1]) else { return nil }
        self.init(session: session, position: position)
    }
}
