import ATProto
public import Events

/// Which repositories are wanted, and how they are fetched.
extension FleetConfiguration {
    public var reposScope: RepositoryScope { values.text("repos.scope").flatMap { RepositoryScope(rawValue: $0) } ?? .live }
    /// Nil where it is not set; with the scope `collection` it is.
    public var reposSignal: String? { values.text("repos.signal") }
    /// Empty: all.
    public var reposCollections: [CollectionPattern] { values.list("repos.collections").compactMap { CollectionPattern($0) } }
    public var reposFile: String? { values.text("repos.file") }

    /// With their schemes, `https` or `http`.
    public var backfillHosts: [String] { hosts("backfill.hosts") }
    public var backfillPage: Int { values.integer("backfill.page") }
    public var backfillQueueHighWater: Int { values.integer("backfill.queue_high_water") }
    public var backfillLiveDelay: Duration { values.duration("backfill.live_delay") }
    public var backfillPoll: Duration { values.duration("backfill.poll") }
    public var backfillJobsMax: Int { values.integer("backfill.jobs_max") }

    public var fetchConcurrency: Int { values.integer("fetch.concurrency") }
    public var fetchHostConcurrency: Int { values.integer("fetch.host_concurrency") }
    /// Requests a second.
    public var fetchHostRate: Int { values.integer("fetch.host_rate") }
    /// Nil: the system's folder for temporary files.
    public var fetchSpool: String? { values.text("fetch.spool") }
    public var fetchRepoBytesMax: Int { values.integer("fetch.repo_bytes_max") }
    public var fetchHighWater: Int { values.integer("fetch.high_water") }
    /// With their schemes, `https` or `http`.
    public var fetchFallbackHosts: [String] { hosts("fetch.fallback_hosts") }

    /// The list, or where it is empty the relays, asked over HTTP.
    private func hosts(_ path: String) -> [String] {
        let own = values.list(path)
        return own.isEmpty ? relayHosts.map(Self.overHTTP) : own
    }

    private static func overHTTP(_ url: String) -> String {
        for (scheme, plain) in [("wss://", "https://"), ("ws://", "http://")] where url.lowercased().hasPrefix(scheme) {
            return plain + url.dropFirst(scheme.count)
        }
        return url
    }

    /// What does not go together.
    static func repositoryProblems(_ values: ConfigurationSet) -> [ConfigurationProblem] {
        guard let entry = values["repos.signal"] else { return [] }
        let signal = values.text("repos.signal")
        func problem(_ message: String) -> [ConfigurationProblem] {
            [ConfigurationProblem(key: entry.key.path, value: entry.text, origin: entry.origin, message: message)]
        }
        if let signal, !Syntax.isNSID(signal) { return problem("a collection's NSID is allowed, as app.bsky.actor.profile") }
        if signal == nil, values.text("repos.scope") == RepositoryScope.collection.rawValue {
            return problem("repos.scope is collection: the collection is needed that a wanted repository holds, as app.bsky.actor.profile")
        }
        return []
    }
}
