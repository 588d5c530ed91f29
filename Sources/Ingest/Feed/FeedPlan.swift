import Events
import Ledger

/// What the next connection asks an upstream for. Decided from the ledger, the hint in Redis and the configuration, without I/O.
enum FeedPlan: Hashable {
    /// `?cursor=`, and a session from there.
    case resume(Position)
    /// No cursor: the session starts with the first message.
    case live
    /// No cursor: the first message starts a new numbering after this position of the old one.
    case newNumbering(after: Position)
    /// `?cursor=0`, and a session of a new numbering: all that the upstream keeps comes again.
    case again(after: Position)

    /// - Parameters:
    ///   - resume: the committed watermark.
    ///   - hint: the last barrier that all shards acknowledged, as Redis tells it; missing after a loss. One of another numbering than the
    ///     watermark's is not believed: the ledger knows of each new one before anything of it is appended.
    ///   - rewind: a worker found a hole: only the committed watermark counts.
    static func next(resume: ResumePosition, hint: Position?, rewind: Bool, start: FeedStart) -> Self {
        switch resume {
        case .at(let watermark):
            guard let hint, !rewind, hint > watermark, hint.epoch == watermark.epoch else { return .resume(watermark) }
            return .resume(hint)
        case .none:
            switch start {
            case .live: return .live
            case .earliest: return .resume(Position(epoch: 0, seq: 0))
            case .after(let seq): return .resume(Position(epoch: 0, seq: seq))
            }
        }
    }

    /// The request's path, with its query.
    func path(_ feed: Feed) -> String {
        switch self {
        case .resume(let position): "/xrpc/\(feed.method)?cursor=\(position.seq)"
        case .again: "/xrpc/\(feed.method)?cursor=0"
        case .live, .newNumbering: "/xrpc/\(feed.method)"
        }
    }

    /// The session that can be opened before a message comes; nil where the first message says from where.
    var opening: SessionOpening? {
        switch self {
        case .resume(let position): .at(position)
        case .again(let position): .newNumbering(after: position, first: 1)
        case .live, .newNumbering: nil
        }
    }

    /// The session that the first numbered message opens.
    /// Nil where there is no number for a new numbering.
    func opening(first seq: Int64) -> SessionOpening? {
        switch self {
        case .resume(let position): .at(position)
        case .live: .before(first: seq)
        case .newNumbering(let position): .newNumbering(after: position, first: seq)
        case .again(let position): .newNumbering(after: position, first: 1)
        }
    }
}
