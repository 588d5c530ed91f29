/// Where a simulator can be reached: `host:port` each, no scheme; the host is the advertised one.
public struct SimulatorAddresses: Hashable, Sendable {
    public var relays: [String]
    public var directory: String
    /// By their places; an account's is the one that its document names.
    public var repositoryHosts: [String]
    public var control: String

    /// `http://host:port`, for `WEIR_PLC_URL`.
    public var directoryURL: String { "http://\(directory)" }
    /// The first of the repository hosts.
    public var repositoryHost: String { repositoryHosts.first ?? "" }
    public var repositoryHostURLs: [String] { repositoryHosts.map { "http://\($0)" } }
    public var controlURL: String { "http://\(control)" }
    /// `ws://host:port`, for `WEIR_RELAY_HOSTS`.
    public var relayURLs: [String] { relays.map { "ws://\($0)" } }
}
