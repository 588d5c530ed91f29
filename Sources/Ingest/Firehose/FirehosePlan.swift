import Events
import Ledger

/// What the next connection asks an upstream for. Decided from the ledger, the hint in Redis and the configuration, without I/O.
enum FirehosePlan: Hashable {
    /// `?cursor=`, and a session from there.
    case resume(Position)
    /// No cursor: the session starts with the first message.
    case live
    /// No cursor: the first message starts a new numbering after this position of the old one.
    case newNumbering(after: Position)

    /// - Parameters:
    ///   - resume: the committed watermark.
    ///   - hint: the last barrier that all shards acknowledged, as Redis tells it; missing after a loss. One of another numbering than the
    ///     watermark's is not believed: the ledger knows of each new one before anything of it is appended.
    ///   - rewind: a worker found a hole: only the committed watermark counts.
    static func next(resume: ResumePosition, hint: Position?, rewind: Bool, start: FirehoseStart) -> Self {
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

    var path: String {
        switch self {
        case .resume(let position): "/xrpc/com.atproto.sync.subscribeRepos?cursor=\(position.seq)"
        case .live, .newNumbering: "/xrpc/com.atproto.sync.subscribeRepos"
        }
    }

    /// The session that can be opened before a message comes; nil where the first message says from where.
    var opening: SessionOpening? {
        guard case .resume(let position) = self else { return nil }
        return .at(position)
    }

    /// The session that the first numbered message opens.
    /// Nil where there is no number for a new numbering.
    func opening(first seq: Int64) -> SessionOpening? {
        switch self {
        case .resume(let position): .at(position)
        case .live: .before(first: seq)
        case .newNumbering(let position): .newNumbering(after: position, first: seq)
        }
    }
}
