/// Where a simulator can be reached: `host:port` each, no scheme; the host is the advertised one.
public struct SimulatorAddresses: Hashable, Sendable {
    public var relays: [String]
    public var directory: String
    /// By their places; an account's is the one that its document names.
    public var repositoryHosts: [String]
    public var control: String
    /// By their places.
    public var labelers: [String]
    /// The labelers' DIDs; their documents name the addresses.
    public var labelerDIDs: [String]

    /// `http://host:port`, for `WEIR_PLC_URL`.
    public var directoryURL: String { "http://\(directory)" }
    /// The first of the repository hosts.
    public var repositoryHost: String { repositoryHosts.first ?? "" }
    public var repositoryHostURLs: [String] { repositoryHosts.map { "http://\($0)" } }
    /// `ws://host:port`, for labelers that are given by host.
    public var labelerURLs: [String] { labelers.map { "ws://\($0)" } }
    public var controlURL: String { "http://\(control)" }
    /// `ws://host:port`, for `WEIR_RELAY_HOSTS`.
    public var relayURLs: [String] { relays.map { "ws://\($0)" } }
}
