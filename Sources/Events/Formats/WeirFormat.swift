extension EventFormat {
    /// Weir's own shape, its members in this order:
    /// `run seq kind did rev collection rkey action cid live record|identity|account|sync|label|progress|terminal host time mark logged_at`.
    ///
    /// What an application appended has `type key key_seq` in the place of `rev collection rkey`, and its value under `payload`.
    /// Members without a value are left out, but `run`, `seq`, `kind`, `live` and `logged_at` always stand. A record's value
    /// stands under `record` (left out at a delete), the detail of another kind under that kind's name.
    static func writeWeir(_ event: LogEvent, to json: inout JSONWriter) {
        json.beginObject()
        json.member("run", event.run.description)
        json.member("seq", event.seq)
        json.member("kind", event.kind.rawValue)
        if event.kind == .event { writeApplication(event, to: &json) }
        if !event.did.isEmpty { json.member("did", event.did) }
        if event.kind != .event { writeRecordNames(event, to: &json) }
        if let action = event.action { json.member("action", action.rawValue) }
        if !event.cid.isEmpty { json.member("cid", event.cid) }
        json.member("live", event.live)
        if !event.body.isEmpty {
            json.key(detailName(event.kind))
            json.value(json: event.body)
        }
        if !event.host.isEmpty { json.member("host", event.host) }
        if !event.time.isEmpty { json.member("time", event.time) }
        if !event.mark.isEmpty { json.member("mark", event.mark) }
        json.member("logged_at", event.loggedAt.rfc3339)
        json.endObject()
    }

    private static func writeApplication(_ event: LogEvent, to json: inout JSONWriter) {
        json.member("type", event.type)
        guard !event.key.isEmpty else { return }
        json.member("key", event.key)
        if let sequence = event.keySequence { json.member("key_seq", sequence) }
    }

    private static func writeRecordNames(_ event: LogEvent, to json: inout JSONWriter) {
        if !event.rev.isEmpty { json.member("rev", event.rev) }
        if !event.collection.isEmpty { json.member("collection", event.collection) }
        if !event.rkey.isEmpty { json.member("rkey", event.rkey) }
    }

    private static func detailName(_ kind: LogEvent.Kind) -> StaticString {
        switch kind {
        case .record: "record"
        case .identity: "identity"
        case .account: "account"
        case .sync: "sync"
        case .label: "label"
        case .progress: "progress"
        case .event: "payload"
        case .terminal: "terminal"
        }
    }
}
