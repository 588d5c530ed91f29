import Events

/// One step of a run for its readers: an event, or a stretch of seqs that are not to be had.
indirect enum StreamItem: Hashable, Sendable {
    case event(LogEvent)
    case gap(StreamGap)

    /// The last seq that a reader has with this item.
    var through: Int64 {
        switch self {
        case .event(let event): event.seq
        case .gap(let gap): gap.to
        }
    }

    /// Bytes that it holds in memory, about.
    var size: Int {
        switch self {
        case .event(let event): 320 + event.body.count + event.did.utf8.count + event.rkey.utf8.count + event.cid.utf8.count
        case .gap: 96
        }
    }
}

/// Seqs `from` to `to` of a run that neither its outlet nor the log has.
struct StreamGap: Hashable, Sendable {
    var run: RunID
    var from: Int64
    var to: Int64
    var why: String
}
