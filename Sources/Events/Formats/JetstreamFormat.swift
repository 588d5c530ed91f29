extension EventFormat {
    /// Jetstream's shape (its `pkg/models`): `did`, `time_us`, `kind`, and one of
    /// `commit {rev, operation, collection, rkey, record, cid}`, `identity {did, handle, seq, time}`,
    /// `account {active, did, seq, time, status}`.
    ///
    /// Two members are Weir's own: `time_us` is when the log took the event (Jetstream's is when it read it), and `seq` is the seq in
    /// the run (Jetstream's is the relay's, which differs from relay to relay).
    static func writeJetstream(_ event: LogEvent, to json: inout JSONWriter) {
        json.beginObject()
        json.member("did", event.did)
        json.member("time_us", event.loggedAt.microseconds)
        switch event.kind {
        case .record: writeCommit(event, to: &json)
        case .identity: writeIdentity(event, to: &json)
        case .account: writeAccount(event, to: &json)
        case .sync, .label, .progress, .event, .terminal: break
        }
        json.endObject()
    }

    private static func writeCommit(_ event: LogEvent, to json: inout JSONWriter) {
        json.member("kind", "commit")
        json.key("commit")
        json.beginObject()
        json.member("rev", event.rev)
        if let action = event.action { json.member("operation", action.rawValue) }
        json.member("collection", event.collection)
        json.member("rkey", event.rkey)
        if !event.body.isEmpty { json.member("record", json: event.body) }
        if !event.cid.isEmpty { json.member("cid", event.cid) }
        json.endObject()
    }

    private static func writeIdentity(_ event: LogEvent, to json: inout JSONWriter) {
        json.member("kind", "identity")
        json.key("identity")
        json.beginObject()
        json.member("did", event.did)
        if let handle = JSONMembers(event.body).rawString("handle") { json.member("handle", json: handle) }
        json.member("seq", event.seq)
        json.member("time", event.time)
        json.endObject()
    }

    private static func writeAccount(_ event: LogEvent, to json: inout JSONWriter) {
        let members = JSONMembers(event.body)
        json.member("kind", "account")
        json.key("account")
        json.beginObject()
        json.member("active", members.flag("active") ?? false)
        json.member("did", event.did)
        json.member("seq", event.seq)
        if let status = members.rawString("status") { json.member("status", json: status) }
        json.member("time", event.time)
        json.endObject()
    }
}
