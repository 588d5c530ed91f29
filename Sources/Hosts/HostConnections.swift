internal import AsyncHTTPClient
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// Connections to hosts over HTTP/1.1, never to an address that was not checked.
///
/// A stranger's host is looked up, its address checked, and its connections are made to that very address: a second look-up by the HTTP client
/// could answer otherwise. So each such host has a client of its own, which keeps its connections, for as long as the address stands
/// (``HostConnectionConfiguration/addressLifetime``); one that can't be connected to is looked up anew. Idle ones are kept for
/// ``HostConnectionConfiguration/hostsKept`` hosts, the least recently used go first. Hosts that the operator named share one client, which looks
/// up for itself. Redirects are never followed, bodies never unpacked.
///
/// To be closed with ``close()``.
public final class HostConnections: Sendable {
    let configuration: HostConnectionConfiguration
    /// For addresses that need no check: the operator's own.
    let trusted: HTTPClient
    private let lookup: @Sendable (HostEndpoint) async -> SocketAddress?
    private let isAllowed: @Sendable (SocketAddress) -> Bool
    private let tls: TLSConfiguration
    private let clients: Mutex<PinnedClients>

    public convenience init(_ configuration: HostConnectionConfiguration = HostConnectionConfiguration()) {
        let limit = configuration.lookupTimeout
        self.init(configuration, isAllowed: { AddressPolicy.isPublic($0) }) { await HostLookup.address(of: $0.host, port: $0.port, within: limit) }
    }

    /// As the other one, and trusts the certificates of a PEM file beside the machine's own authorities. Throws `other` where the file has none, or
    /// cannot be read.
    public convenience init(_ configuration: HostConnectionConfiguration, authorities file: String) throws(HostError) {
        let limit = configuration.lookupTimeout
        let certificates: [NIOSSLCertificate]
        do {
            certificates = try NIOSSLCertificate.fromPEMFile(file)
        } catch {
            throw HostError(.other, "no certificates can be read of \(file)", host: "")
        }
        guard !certificates.isEmpty else { throw HostError(.other, "\(file) has no certificates", host: "") }
        self.init(configuration, more: certificates, isAllowed: { AddressPolicy.isPublic($0) }) {
            await HostLookup.address(of: $0.host, port: $0.port, within: limit)
        }
    }

    /// Tests pass their own names, rule and authorities.
    init(
        _ configuration: HostConnectionConfiguration, roots: NIOSSLTrustRoots = TrustRoots.shared, more: [NIOSSLCertificate] = [],
        isAllowed: @escaping @Sendable (SocketAddress) -> Bool,
        lookup: @escaping @Sendable (HostEndpoint) async -> SocketAddress?
    ) {
        self.configuration = configuration
        self.lookup = lookup
        self.isAllowed = isAllowed
        tls = TLSConfiguration(roots: roots, more: more)
        trusted = HTTPClient(eventLoopGroupProvider: .singleton, configuration: HTTPClient.Configuration(configuration, tls, pinning: nil))
        clients = Mutex(PinnedClients(idleMax: configuration.hostsKept))
    }

    /// Ends every connection. Requests that are under way fail.
    public func close() async {
        for client in clients.withLock({ $0.removeAll() }) + [trusted] { try? await client.shutdown() }
    }

    /// Runs `use` with a client that connects to the endpoint's checked address; throws `refusedAddress` or `unavailable` where there is none.
    func withClient<Result>(
        to endpoint: HostEndpoint, isolation: isolated (any Actor)? = #isolation, _ use: (HTTPClient) async throws(HostError) -> Result
    ) async throws(HostError) -> Result {
        if configuration.allowPrivateHosts || configuration.trustedHosts.contains(endpoint) { return try await use(trusted) }
        let client = try await takeClient(endpoint)
        do throws(HostError) {
            let result = try await use(client)
            await giveBack(client, of: endpoint, isUsable: true)
            return result
        } catch {
            await giveBack(client, of: endpoint, isUsable: error.code != .unavailable)
            throw error
        }
    }

    private func takeClient(_ endpoint: HostEndpoint) async throws(HostError) -> HTTPClient {
        if let client = clients.withLock({ $0.take(endpoint, at: .now) }) { return client }
        guard let address = await lookup(endpoint) else {
            throw HostError(.unavailable, "the name has no address", host: endpoint.authority)
        }
        guard isAllowed(address), let ip = address.ipAddress else {
            throw HostError(.refusedAddress, "\(endpoint.host) stands for a private address", host: endpoint.authority)
        }
        let until = ContinuousClock.now + configuration.addressLifetime
        let (client, retired) = clients.withLock { clients in
            clients.take(endpoint, address: ip, until: until) {
                HTTPClient(
                    eventLoopGroupProvider: .singleton, configuration: HTTPClient.Configuration(configuration, tls, pinning: (endpoint.host, ip)))
            }
        }
        for client in retired { try? await client.shutdown() }
        guard let client else { throw HostError(.cancelled, "the connections are closed", host: endpoint.authority) }
        return client
    }

    private func giveBack(_ client: HTTPClient, of endpoint: HostEndpoint, isUsable: Bool) async {
        for client in clients.withLock({ $0.giveBack(client, of: endpoint, isUsable: isUsable) }) { try? await client.shutdown() }
    }
}

extension TLSConfiguration {
    fileprivate init(roots: NIOSSLTrustRoots, more: [NIOSSLCertificate]) {
        self = .makeClientConfiguration()
        trustRoots = roots
        if !more.isEmpty { additionalTrustRoots = [.certificates(more)] }
    }
}

extension HTTPClient.Configuration {
    /// - Parameter pinning: the host's name, and the only address that it may stand for.
    fileprivate init(_ configuration: HostConnectionConfiguration, _ tls: TLSConfiguration, pinning: (host: String, address: String)?) {
        self.init(tlsConfiguration: tls, redirectConfiguration: .disallow, decompression: .disabled)
        timeout = .init(connect: TimeAmount(configuration.connectTimeout), read: TimeAmount(configuration.idleTimeout))
        connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = configuration.connectionsPerHost
        connectionPool.idleTimeout = .seconds(30)
        // A refused connection is told at once: when to try again is the caller's to decide.
        connectionPool.retryConnectionEstablishment = false
        httpVersion = .http1Only
        if let pinning { dnsOverride = [pinning.host: pinning.address] }
    }
}
