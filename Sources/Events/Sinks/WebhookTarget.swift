/// Where a webhook is, and how its requests are signed.
public struct WebhookTarget: Hashable, Sendable {
    /// `https://host[:port]` or `http://host[:port]`.
    public let origin: String
    /// With its query; begins with a slash.
    public let path: String
    /// The key of the signature; nil: requests are not signed.
    public let secret: String?
    /// Whether the host's name may stand for an address that is not of the public network.
    public let allowsPrivate: Bool
    /// A PEM file on the worker's machine with certificates that are trusted beside the machine's own; nil: none.
    public let authoritiesFile: String?

    static let allowedURL = "https://host[:port]/path or http://…, at most 2048 bytes, without a user, a fragment or white space"
    static let secretBytes = 16...512
    static let allowedFile = "the absolute path of a PEM file with certificates, at most 1024 bytes; for https:// only"

    init(_ reader: inout SinkSettingsReader) throws(SinkProblem) {
        let url = try reader.needed("url", allowed: Self.allowedURL)
        guard let (origin, path) = Self.parts(url) else { throw SinkProblem("url", allowed: Self.allowedURL) }
        self.origin = origin
        self.path = path
        let allowed = "a text of \(Self.secretBytes.lowerBound) to \(Self.secretBytes.upperBound) bytes"
        secret = try reader.text("secret", allowed: allowed)
        if let secret, !Self.secretBytes.contains(secret.utf8.count) { throw SinkProblem("secret", allowed: allowed) }
        allowsPrivate = try reader.flag("allow_private") ?? false
        authoritiesFile = try reader.text("ca_file", allowed: Self.allowedFile)
        if let file = authoritiesFile {
            guard file.hasPrefix("/"), file.utf8.count <= 1024, origin.hasPrefix("https://") else {
                throw SinkProblem("ca_file", given: file, allowed: Self.allowedFile)
            }
        }
    }

    private static func parts(_ url: String) -> (origin: String, path: String)? {
        guard let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }), url.utf8.count <= 2048 else { return nil }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty, !authority.contains("@"), !url.contains("#") else { return nil }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        let path = String(rest.dropFirst(authority.count))
        return (scheme + authority, path.hasPrefix("/") ? path : "/" + path)
    }
}
