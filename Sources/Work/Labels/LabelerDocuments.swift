internal import ATProto
internal import Events
internal import Hosts
internal import Ledger
internal import Logging

/// The keys that sources sign labels with, kept in `label_keys`. Not with the accounts': a source need not have a repository.
struct LabelerDocuments: DocumentSource {
    static let metric = "weir_label_key_fetches_total"

    let fetcher: DIDFetcher
    let ledger: Ledger

    struct Known: KnownDocument {
        var key: VerificationKey
        var fetchedAt: WallTime
    }

    struct Fetched: Sendable {
        var did: String
        var known: Known
    }

    func fetch(_ did: String, now: WallTime) async -> DIDFetcher.Outcome<Fetched> {
        switch await fetcher.fetchLabeler(did, now: now) {
        case .found(let labeler):
            guard let key = labeler.labelKey else { return .absent(reason: "the document has no #atproto_label key") }
            return .found(Fetched(did: did, known: Known(key: key, fetchedAt: labeler.fetchedAt)))
        case .absent(let reason): return .absent(reason: reason)
        case .failed(let reason): return .failed(reason: reason)
        }
    }

    func known(_ fetched: Fetched) -> Known { fetched.known }

    func load(_ dids: [String]) async throws(LedgerError) -> [String: Known] {
        try await ledger.labelKeys(dids).compactMapValues { row in
            // A key that no longer parses is fetched again.
            guard let key = try? VerificationKey(didKey: row.key) else { return nil }
            return Known(key: key, fetchedAt: row.fetchedAt)
        }
    }

    func store(_ fetched: [Fetched]) async throws(LedgerError) {
        try await ledger.storeLabelKeys(
            fetched.map { StoredLabelKey(did: $0.did, key: $0.known.key.didKey, fetchedAt: $0.known.fetchedAt) })
    }
}

/// Finds the keys that labels are signed with.
typealias LabelKeyResolver = DocumentResolver<LabelerDocuments>

extension DocumentResolver where Documents == LabelerDocuments {
    init(configuration: IdentityConfiguration, ledger: Ledger, clock: WorkClock, logger: Logger) {
        var configuration = configuration
        // Sources are few: what a stranger's labeler invents is not kept at others' cost.
        configuration.cacheEntries = min(configuration.cacheEntries, 2_000)
        configuration.queueLength = min(configuration.queueLength, 2_000)
        configuration.concurrentFetches = min(configuration.concurrentFetches, 8)
        let connections = HostConnections(configuration.connections)
        self.init(
            LabelerDocuments(fetcher: DIDFetcher(configuration.documents, connections: connections), ledger: ledger),
            configuration: configuration, connections: connections, clock: clock, logger: logger)
    }
}

extension DocumentResolver: LabelKeys where Documents == LabelerDocuments {
    func labelKeys(of sources: Set<String>) async -> [String: LabelKeyAnswer] { await resolve(sources).mapValues(LabelKeyAnswer.init) }

    func refreshedLabelKeys(of sources: Set<String>) async -> [String: LabelKeyAnswer] {
        await refresh(sources).mapValues(LabelKeyAnswer.init)
    }
}

extension LabelKeyAnswer {
    init(_ answer: DocumentAnswer<LabelerDocuments.Known>) {
        switch answer {
        case .known(let known): self = .known(known.key)
        case .absent(let reason): self = .absent(reason: reason)
        case .pending: self = .pending
        }
    }
}
