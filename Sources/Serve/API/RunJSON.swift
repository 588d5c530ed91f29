import Events
import Ledger

extension JSONWriter {
    /// A run as `/runs` and `/runs/{id}` show it.
    mutating func value(_ run: RunSummary, _ details: RunDetails? = nil) {
        beginObject()
        member("id", run.id.description)
        member("kind", run.kind)
        member("state", run.state.rawValue)
        member("started_at", run.startedAt.rfc3339)
        if let time = run.finishedAt { member("finished_at", time.rfc3339) }
        member("last_seq", run.lastSeq)
        if let time = run.lastEventAt { member("last_event_at", time.rfc3339) }
        if let details { members(details) }
        key("next_seq")
        beginObject()
        for (sink, seq) in run.nextSeq.sorted(by: { $0.key < $1.key }) {
            key(dynamic: sink)
            value(seq)
        }
        endObject()
        endObject()
    }

    private mutating func members(_ details: RunDetails) {
        member("metadata", json: details.metadata)
        if !details.owner.isEmpty { member("created_by", details.owner) }
        if let by = details.endedBy, !by.isEmpty { member("ended_by", by) }
        if let reason = details.endReason { member("end_reason", reason) }
    }
}
