import Events
public import Ledger

/// How far a replay is: what its run tells, and what a person sees.
public struct ReplayProgress: Hashable, Sendable {
    public var replay: ReplayRecord
    /// Seqs that the log lacks: the replay ends in front of them.
    public var gap: ClosedRange<Int64>?

    public var done: Int64 { replay.checkpoint - replay.range.lowerBound + 1 }
    public var total: Int64 { replay.range.upperBound - replay.range.lowerBound + 1 }

    /// The body of a progress event.
    public var body: [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("source", replay.source.description)
        json.member("sink", replay.sink)
        json.member("from", replay.range.lowerBound)
        json.member("to", replay.range.upperBound)
        json.member("checkpoint", replay.checkpoint)
        json.member("delivered", replay.delivered)
        if let gap {
            json.key("gap")
            json.beginObject()
            json.member("from", gap.lowerBound)
            json.member("to", gap.upperBound)
            json.endObject()
        }
        json.endObject()
        return json.take()
    }
}
