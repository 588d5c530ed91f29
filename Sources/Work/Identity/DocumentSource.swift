internal import Events
internal import Hosts
internal import Ledger

/// What is wanted of DID documents, and where it is kept: the part of a `DocumentResolver` that differs from one purpose to another.
protocol DocumentSource: Sendable {
    /// What a fetch brings.
    associatedtype Fetched: Sendable
    /// What is kept of it in memory.
    associatedtype Known: KnownDocument

    /// The counter of fetches.
    static var metric: String { get }

    func fetch(_ did: String, now: WallTime) async -> DIDFetcher.Outcome<Fetched>
    func known(_ fetched: Fetched) -> Known
    /// Those of `dids` that the ledger has.
    func load(_ dids: [String]) async throws(LedgerError) -> [String: Known]
    func store(_ fetched: [Fetched]) async throws(LedgerError)
}

/// What is known of a document has an age.
protocol KnownDocument: Sendable {
    var fetchedAt: WallTime { get }
}

/// What can be said of a document now.
enum DocumentAnswer<Known: Sendable>: Sendable {
    case known(Known)
    /// The directory has no such DID, or its document does not say what is asked for. Stands until `IdentityConfiguration.negativeLifetime` has passed.
    case absent(reason: String)
    /// Not to be had in time: hold the message and ask again.
    case pending
}
