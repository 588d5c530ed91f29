public import Flow

/// Who may use the API, and how much.
public struct APIAccess: Hashable, Sendable {
    /// Empty: there is no authentication.
    public var tokens: [APIToken]
    /// Where there are tokens: whether somebody without one may read.
    public var allowsAnonymousReads: Bool
    /// Requests of each token.
    public var rate: RateBucket.Limits
    /// Connections of each token at once, streams included; at least 1.
    public var connectionsMax: Int

    public init(
        tokens: [APIToken] = [], allowsAnonymousReads: Bool = false, rate: RateBucket.Limits = .init(perSecond: 1000, burst: 2000),
        connectionsMax: Int = 1000
    ) {
        self.tokens = tokens
        self.allowsAnonymousReads = allowsAnonymousReads
        self.rate = rate
        self.connectionsMax = max(1, connectionsMax)
    }

    /// No authentication.
    public static let off = APIAccess()
}
