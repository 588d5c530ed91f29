/// Which repositories are wanted (`repos.scope`).
public enum RepositoryScope: String, Hashable, Sendable, CaseIterable {
    /// All that the relays bring; nothing is fetched.
    case live
    /// Those that were named, in a file or through the API.
    case chosen
    /// Those that hold a record of the signal collection.
    case collection
    /// Every repository of the hosts that are enumerated.
    case full

    /// Whether what was delivered of each repository is kept, so that it can be fetched and compared.
    public var tracks: Bool { self != .live }
    /// Whether hosts are asked for their lists.
    public var enumerates: Bool { self == .collection || self == .full }
}
