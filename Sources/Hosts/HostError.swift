/// Why a host did not give what it was asked for.
///
/// What each code means for the next step is in one table, ``advice``. Texts of the host in it are cut and free of control characters.
public struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The host has no such repository (`RepoNotFound`).
        case notFound
        case takendown
        case suspended
        case deactivated
        /// 429: stay away for ``HostError/retryAfter``, or for a back-off of one's own.
        case rateLimited
        /// It failed or could not be reached: 5xx, no address, no connection, too late, too slow, or cut off.
        case unavailable
        /// It sends more than is taken of such an answer.
        case tooLarge
        /// The answer is not what the lexicon says; also a redirect, which is not followed.
        case malformed
        /// Its name stands for an address that is not one of the public network.
        case refusedAddress
        /// It does not know the method: 404 or 501 without another reason.
        case notSupported
        /// The caller's task was cancelled: says nothing of the host.
        case cancelled
        /// Any other refusal, as the message says.
        case other
    }

    public var code: Code
    public var message: String
    /// ``HostEndpoint/authority`` of the host.
    public var host: String
    /// How long the host asks to stay away, at most ``RetryAfter/longest``; nil where it does not say.
    public var retryAfter: Duration?
    /// Of the answer over HTTP that says so; nil where there was none.
    public var status: Int?

    public init(_ code: Code, _ message: String, host: String, retryAfter: Duration? = nil, status: Int? = nil) {
        self.code = code
        self.message = message
        self.host = host
        self.retryAfter = retryAfter
        self.status = status
    }

    public var description: String { "\(code.rawValue) at \(host): \(message)" }
}
