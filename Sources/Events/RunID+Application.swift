extension RunID {
    /// First segments of the runs that Weir makes itself: applications neither create them nor append to them.
    public static let reservedNames: Set<String> = [
        "firehose", "labels", "changes", "backfill", "replay", "verification", "repos", "sinks", "weir",
    ]

    /// Last segments that name something of a run in the API's paths (`/runs/{id}/events`): an id that ends in one could not be asked for.
    public static let reservedEndings: Set<String> = [
        "events", "stream", "snapshot", "finish", "cancel", "ws", "websocket", "ack", "acks", "replay", "subscriptions", "doctor",
    ]

    /// Whether Weir itself makes such runs.
    public var isReserved: Bool { Self.reservedNames.contains(String(description.prefix { $0 != "/" })) }

    /// Why an application cannot create a run of this id; nil where it can.
    public var whyNotCreatable: String? {
        if isReserved { return "such runs are made by Weir itself" }
        let segments = description.split(separator: "/", omittingEmptySubsequences: false)
        if segments.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) { return "it has an empty segment, or one of dots" }
        if let last = segments.last, Self.reservedEndings.contains(String(last)) { return "/\(last) at its end means something of a run" }
        return nil
    }
}
