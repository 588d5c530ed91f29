public import Events

/// Which repositories are wanted, and which of their records.
public struct TrackingConfiguration: Sendable, Hashable {
    /// The raw values are those of the key `repos.scope`.
    public enum Scope: String, Sendable, Hashable, CaseIterable {
        /// All that the relays bring; nothing is fetched.
        case live
        /// Those that were named.
        case chosen
        /// Those that hold a record of the signal collection.
        case collection
        case full
    }

    public var scope: Scope
    /// At ``Scope/collection``: an NSID.
    public var signal: String
    /// Only records of these are delivered; empty: all.
    public var collections: [CollectionPattern]

    public init(scope: Scope = .live, signal: String = "", collections: [CollectionPattern] = []) {
        self.scope = scope
        self.signal = signal
        self.collections = collections
    }

    /// Whether snapshots are fetched and what was delivered is kept.
    public var isTracked: Bool { scope != .live }

    public func delivers(_ collection: String) -> Bool { collections.isEmpty || collections.contains { $0.matches(collection) } }
}
