public import Events

/// Which repositories are wanted, and which of their records.
public struct TrackingConfiguration: Sendable, Hashable {
    public var scope: RepositoryScope
    /// At ``RepositoryScope/collection``: an NSID.
    public var signal: String
    /// Only records of these are delivered; empty: all.
    public var collections: [CollectionPattern]

    public init(scope: RepositoryScope = .live, signal: String = "", collections: [CollectionPattern] = []) {
        self.scope = scope
        self.signal = signal
        self.collections = collections
    }

    /// Whether snapshots are fetched and what was delivered is kept.
    public var isTracked: Bool { scope != .live }

    public func delivers(_ collection: String) -> Bool { collections.isEmpty || collections.contains { $0.matches(collection) } }
}
