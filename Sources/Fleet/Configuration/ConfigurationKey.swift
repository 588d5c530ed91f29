/// One row of the table of everything that can be configured: its name in each source, what it takes, and what it means.
public struct ConfigurationKey: Sendable {
    /// What a value must look like. A kind knows how to read a text and how to say what it allows.
    public enum Kind: Sendable, Hashable {
        /// Any text of at most this many bytes.
        case text(bytesMax: Int)
        /// One address with one of these schemes.
        case url(schemes: [String])
        /// Addresses with one of these schemes; a bare host gets the first. In the environment and in flags separated by commas.
        case urls(schemes: [String])
        /// DIDs; in the environment and in flags separated by commas.
        case dids
        /// Collections, or all below a dot of one: `app.bsky.feed.*`. In the environment and in flags separated by commas.
        case patterns
        case integer(ClosedRange<Int>)
        /// A number of bytes; `KiB`, `MiB` and `GiB` may follow.
        case bytes(ClosedRange<Int>)
        /// A number and `ms`, `s`, `min`, `h` or `d`.
        case duration(ClosedRange<Duration>)
        case choice([String])
        case flag
        /// Bearer tokens, `name:scopes:secret:prefixes`; in the environment and in flags separated by commas.
        case tokens
        /// `host:port`; the port may be 0 (any free one), the host of IPv6 stands in brackets.
        case address
    }

    /// As in the file, where a dot is a level: `redis.url`.
    public let path: String
    public let kind: Kind
    /// As a person would write it; empty: not set.
    public let standard: String
    public let summary: String
    /// Never printed: passwords stand in it.
    public let isSecret: Bool
    /// The name in the environment: `WEIR_` and the path in capitals, unless it has a name of its own.
    public let variable: String

    public init(_ path: String, _ kind: Kind, standard: String, secret: Bool = false, variable: String? = nil, _ summary: String) {
        self.path = path
        self.kind = kind
        self.standard = standard
        self.summary = summary
        self.isSecret = secret
        self.variable = variable ?? "WEIR_" + path.uppercased().replacing(".", with: "_")
    }

    /// A value of the key as people may see it.
    public func shown(_ text: String) -> String {
        // A token's prefixes may look like an address: nothing of it is shown.
        if kind == .tokens { return text.isEmpty ? "" : "•••" }
        return isSecret ? Secrets.masked(text) : text
    }
}
