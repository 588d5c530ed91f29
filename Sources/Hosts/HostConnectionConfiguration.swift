/// How hosts are connected to, and which addresses may be.
public struct HostConnectionConfiguration: Sendable, Hashable {
    /// Whether a stranger's host may have a loopback, private or link-local address. Off except in tests and demos.
    public var allowPrivateHosts: Bool
    /// Hosts that the operator named: their addresses are not checked.
    public var trustedHosts: Set<HostEndpoint>
    /// Of one connection, TLS included.
    public var connectTimeout: Duration
    /// The longest between two arrivals of bytes; also the longest that a reader may leave a body unread.
    public var idleTimeout: Duration
    /// The longest that a name is looked up.
    public var lookupTimeout: Duration
    /// How long an address that was looked up stands before it is looked up again.
    public var addressLifetime: Duration
    /// Connections to one host at once, 1 … 256; requests beyond that wait.
    public var connectionsPerHost: Int
    /// Hosts whose idle connections are kept, 0 … 1,000.
    public var hostsKept: Int

    public init(
        allowPrivateHosts: Bool = false, trustedHosts: Set<HostEndpoint> = [], connectTimeout: Duration = .seconds(10),
        idleTimeout: Duration = .seconds(20), lookupTimeout: Duration = .seconds(10), addressLifetime: Duration = .seconds(60),
        connectionsPerHost: Int = 16, hostsKept: Int = 32
    ) {
        self.allowPrivateHosts = allowPrivateHosts
        self.trustedHosts = trustedHosts
        self.connectTimeout = connectTimeout
        self.idleTimeout = idleTimeout
        self.lookupTimeout = lookupTimeout
        self.addressLifetime = addressLifetime
        self.connectionsPerHost = connectionsPerHost
        self.hostsKept = hostsKept
    }
}
