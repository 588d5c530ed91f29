import Events

/// From where a session starts, and what the upstream no longer has in front of it.
struct SessionOpening: Hashable {
    var from: Position
    var gap: UpstreamEntry.Gap?

    /// A session at a known position.
    static func at(_ position: Position) -> Self { Self(from: position, gap: nil) }

    /// The first one ever: from just before the first message that came.
    static func before(first seq: Int64) -> Self { .at(Position(epoch: 0, seq: seq - 1)) }

    /// The upstream numbers anew with `seq`, after we had read up to `position` of the old numbers.
    ///
    /// Nil where the old one's epoch is the highest there is: damage, since nobody lives to see so many.
    static func newNumbering(after position: Position, first seq: Int64) -> Self? {
        guard position.epoch < .max else { return nil }
        let from = Position(epoch: position.epoch + 1, seq: seq - 1)
        return Self(from: from, gap: UpstreamEntry.Gap(after: position, through: from))
    }

    /// The upstream's window begins with `seq`, above the `position` that was asked for; nil where nothing is missing.
    static func outdated(_ position: Position, first seq: Int64) -> Self? {
        // A position of 0 asked for the oldest there is: nothing was promised before it.
        guard position.seq > 0, seq - 1 > position.seq else { return nil }
        let from = Position(epoch: position.epoch, seq: seq - 1)
        return Self(from: from, gap: UpstreamEntry.Gap(after: position, through: from))
    }
}
