internal import Events
internal import Flow

/// What consumers are told of a tracked repository's state, as the body of an event of kind `sync`.
enum TrackedEvents {
    /// `{"state": …, "reason": …}`; `reason` is left out where there is none.
    static func state(_ status: RepositoryChain.Status, reason: String, records: Int64? = nil) -> [UInt8] {
        var json = JSONWriter(reserving: 64)
        json.beginObject()
        json.member("state", name(status))
        if !reason.isEmpty { json.member("reason", reason) }
        if let records { json.member("records", records) }
        json.endObject()
        return json.take()
    }

    private static func name(_ status: RepositoryChain.Status) -> String { status == .deleted ? "gone" : status.rawValue }
}
