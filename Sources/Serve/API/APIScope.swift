/// What the API may change of which repositories are wanted.
public struct APIScope: Hashable, Sendable {
    /// Whether repositories are tracked: `repos.scope` is another than `live`.
    public var isTracking: Bool
    /// Whether changes are also taken where the API is bound to another address than loopback (`api.allow_writes`).
    public var allowsWrites: Bool

    public init(isTracking: Bool, allowsWrites: Bool) {
        self.isTracking = isTracking
        self.allowsWrites = allowsWrites
    }

    /// Nothing is tracked.
    public static let live = APIScope(isTracking: false, allowsWrites: false)
}
