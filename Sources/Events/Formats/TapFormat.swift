extension EventFormat {
    /// Tap's shape (indigo, `cmd/tap/types.go`): `id`, `type`, and one of
    /// `record {live, rev, did, collection, rkey, action, cid, record}`, `identity {did, handle, is_active, status}`.
    ///
    /// `id` is the seq in the run. Tap's identity event joins what the log keeps as two kinds, and its clients require all four
    /// members. What an event does not say is written as Tap's default: an identity event as `true` and `active`, an account
    /// event with an empty handle. A client that keeps either should read it from the kind that says it, or use `weir`.
    static func writeTap(_ event: LogEvent, to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", event.seq)
        if event.kind == .record {
            json.member("type", "record")
            json.key("record")
            writeTapRecord(event, to: &json)
        } else {
            json.member("type", "identity")
            json.key("identity")
            writeTapIdentity(event, to: &json)
        }
        json.endObject()
    }

    private static func writeTapRecord(_ event: LogEvent, to json: inout JSONWriter) {
        json.beginObject()
        json.member("live", event.live)
        json.member("did", event.did)
        json.member("rev", event.rev)
        json.member("collection", event.collection)
        json.member("rkey", event.rkey)
        if let action = event.action { json.member("action", action.rawValue) }
        if !event.body.isEmpty { json.member("record", json: event.body) }
        if !event.cid.isEmpty { json.member("cid", event.cid) }
        json.endObject()
    }

    private static func writeTapIdentity(_ event: LogEvent, to json: inout JSONWriter) {
        let members = JSONMembers(event.body)
        let isActive = event.kind == .identity || members.flag("active") ?? false
        json.beginObject()
        json.member("did", event.did)
        json.member("handle", json: members.rawString("handle") ?? Array("\"\"".utf8)[...])
        json.member("is_active", isActive)
        if !isActive, let status = members.rawString("status") {
            json.member("status", json: status)
        } else {
            json.member("status", isActive ? "active" : "deactivated")
        }
        json.endObject()
    }
}
