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
        case .event(let event): event.memoryBytes
        case .gap: 96
        }
    }
}

extension LogEvent {
    /// The box of an item, the event in it and the heads of seven allocations; then what these hold.
    var memoryBytes: Int {
        let texts = did.utf8.count + collection.utf8.count + rkey.utf8.count + cid.utf8.count + host.utf8.count + time.utf8.count
        return 400 + body.count + texts
    }
}

/// Seqs `from` to `to` of a run that neither its outlet nor the log has.
struct StreamGap: Hashable, Sendable {
    var run: RunID
    var from: Int64
    var to: Int64
    var why: String

    /// As clients are told of it.
    var json: [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("run", run.description)
        json.member("from", from)
        json.member("to", to)
        json.member("why", why)
        json.endObject()
        return json.take()
    }
}
