/// Where the simulator's servers listen, and under which name others reach them.
public struct ServerConfiguration: Sendable, Hashable {
    /// The address that all servers bind: loopback unless others must reach it (`0.0.0.0` in a container).
    public var bindHost: String
    /// The host in DID documents and printed addresses; nil is `bindHost`.
    public var advertisedHost: String?
    /// Each 0 takes a free port.
    public var directoryPort: Int
    public var repositoryHostPort: Int
    public var controlPort: Int
    /// Of the second repository host; the ports above it are those of the third and so on.
    public var furtherHostsPort: Int

    public init(
        bindHost: String = "127.0.0.1", advertisedHost: String? = nil, directoryPort: Int = 0, repositoryHostPort: Int = 0, controlPort: Int = 0,
        furtherHostsPort: Int = 0
    ) {
        self.bindHost = bindHost
        self.advertisedHost = advertisedHost
        self.directoryPort = directoryPort
        self.repositoryHostPort = repositoryHostPort
        self.controlPort = controlPort
        self.furtherHostsPort = furtherHostsPort
    }
}

extension ServerConfiguration {
    func repositoryHostPort(_ host: Int) -> Int {
        if host == 0 { return repositoryHostPort }
        return furtherHostsPort == 0 ? 0 : furtherHostsPort + host - 1
    }
}
