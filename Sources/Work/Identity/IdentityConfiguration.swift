internal import Hosts

/// How DIDs are resolved: where, how many at once, how long an answer stands.
public struct IdentityConfiguration: Sendable, Hashable {
    /// Base address of the did:plc directory, no slash at its end.
    public var plcURL: String
    /// Whether hosts that a stranger's DID names may have loopback, private or link-local addresses. Off except in tests and demos.
    public var allowPrivateHosts: Bool
    /// Entries of the memory cache, by their types about 250 bytes each; a key of P-256 is an object of its library besides. 1,000 … 10,000,000.
    /// What is not among them is one look into the ledger a batch.
    public var cacheEntries: Int
    /// Fetches under way at once, 1 … 256.
    public var concurrentFetches: Int
    /// DIDs that may wait for a fetch; above it an answer is `pending` at once. 100 … 1,000,000.
    public var queueLength: Int
    /// The longest a batch waits for its identities; what is not there then is held.
    public var batchWait: Duration
    /// Of one fetch, from connect to the last byte.
    public var fetchTimeout: Duration
    /// How long a document stands before it is fetched again.
    public var lifetime: Duration
    /// How long "no such DID" or "no usable key" stands.
    public var negativeLifetime: Duration
    /// The least time between two fetches of one DID after bad signatures.
    public var refreshInterval: Duration
    /// The longest document that is read, in bytes.
    public var documentBytes: Int

    public init(
        plcURL: String = "https://plc.directory", allowPrivateHosts: Bool = false, cacheEntries: Int = 50_000, concurrentFetches: Int = 32,
        queueLength: Int = 20_000, batchWait: Duration = .milliseconds(500), fetchTimeout: Duration = .seconds(5),
        lifetime: Duration = .seconds(24 * 3600), negativeLifetime: Duration = .seconds(300), refreshInterval: Duration = .seconds(60),
        documentBytes: Int = 64 << 10
    ) {
        self.plcURL = plcURL
        self.allowPrivateHosts = allowPrivateHosts
        self.cacheEntries = cacheEntries
        self.concurrentFetches = concurrentFetches
        self.queueLength = queueLength
        self.batchWait = batchWait
        self.fetchTimeout = fetchTimeout
        self.lifetime = lifetime
        self.negativeLifetime = negativeLifetime
        self.refreshInterval = refreshInterval
        self.documentBytes = documentBytes
    }

    var documents: DIDFetcherConfiguration {
        DIDFetcherConfiguration(plcURL: plcURL, fetchTimeout: fetchTimeout, documentBytes: documentBytes)
    }

    var connections: HostConnectionConfiguration {
        HostConnectionConfiguration(
            allowPrivateHosts: allowPrivateHosts, connectTimeout: fetchTimeout, idleTimeout: fetchTimeout, lookupTimeout: fetchTimeout,
            connectionsPerHost: concurrentFetches)
    }
}
