import Events
public import Hosts
public import NIOCore

/// Finds labelers through their DID documents, fetched anew each time: once a connection and now and then beside it, so nothing is kept.
public struct DocumentLabelers: LabelerDirectory {
    private let fetcher: DIDFetcher
    private let connections: HostConnections
    private let allowsPrivateHosts: Bool

    /// - Parameter allowsPrivateHosts: whether a document may name a machine of a private network.
    public init(_ documents: DIDFetcherConfiguration, allowsPrivateHosts: Bool) {
        self.allowsPrivateHosts = allowsPrivateHosts
        connections = HostConnections(
            HostConnectionConfiguration(
                allowPrivateHosts: allowsPrivateHosts, connectTimeout: documents.fetchTimeout, idleTimeout: documents.fetchTimeout,
                lookupTimeout: documents.fetchTimeout, connectionsPerHost: 4))
        fetcher = DIDFetcher(documents, connections: connections)
    }

    public func location(of did: String) async -> LabelerLocation {
        switch await fetcher.fetchLabeler(did, now: ProcessClock.wall) {
        case .found(let labeler):
            guard let host = labeler.host else { return .absent(reason: "its document has no #atproto_labeler service") }
            return .found(host)
        case .absent(let reason): return .absent(reason: reason)
        case .failed(let reason): return .unknown(reason: reason)
        }
    }

    public func close() async { await connections.close() }

    public func allows(_ address: SocketAddress) -> Bool { allowsPrivateHosts || AddressPolicy.isPublic(address) }
}
