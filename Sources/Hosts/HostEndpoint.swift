internal import Events

/// Where a host's HTTP API is: scheme, host and port, as an operator or a DID document writes them.
///
/// `https://host`, `http://host:2583` or a bare `host[:port]`, which means `https`. A path of `/` is allowed and nothing else behind the host:
/// the path of a request belongs to the protocol. Two texts that mean the same address give equal endpoints.
public struct HostEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// Lower case; an IPv6 address without its brackets.
    public let host: String
    /// 1 to 65535.
    public let port: Int
    /// True for `https`.
    public let isSecure: Bool

    public static let hostBytesMax = 253

    /// Why a text is no endpoint, and what is allowed.
    public struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        /// The first 200 characters of what was given.
        public let text: String
        public let problem: String

        public var description: String {
            "\"\(text)\" is not a host's address: \(problem); allowed are https://host[:port], http://host[:port] or a bare host[:port]"
        }
    }

    public init(_ text: String) throws(Invalid) {
        func invalid(_ problem: String) -> Invalid { Invalid(text: text.excerpt(scalars: 200), problem: problem) }
        var rest = Substring(text)
        var isSecure = true
        if let separator = rest.firstRange(of: "://") {
            switch rest[..<separator.lowerBound].lowercased() {
            case "https": isSecure = true
            case "http": isSecure = false
            default: throw invalid("the scheme is unknown")
            }
            rest = rest[separator.upperBound...]
        }
        if rest.utf8.last == UInt8(ascii: "/") { rest = Substring(rest.utf8.dropLast()) }
        guard !rest.utf8.contains(where: { "/?#@".utf8.contains($0) }) else { throw invalid("a path, query or user is not allowed") }
        guard let (name, portText) = Self.split(rest) else { throw invalid("an IPv6 address stands in brackets, with nothing but a port behind") }
        guard Self.isHost(name, isBracketed: rest.utf8.first == UInt8(ascii: "[")) else {
            throw invalid("the host is empty, longer than \(Self.hostBytesMax) bytes, has an empty label or a character that no host has")
        }
        host = name.lowercased()
        self.isSecure = isSecure
        guard let portText else {
            port = isSecure ? 443 : 80
            return
        }
        // `Int` would take a sign as well.
        guard portText.utf8.allSatisfy(Self.isDigit), let number = Int(portText), (1...65535).contains(number) else {
            throw invalid("the port is not 1 to 65535")
        }
        port = number
    }

    /// `host`, or `host:port` where the port is not the scheme's own: the name in keys, metrics and messages, and the `Host` header.
    public var authority: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// `https://authority` or `http://authority`.
    public var description: String { "\(isSecure ? "https" : "http")://\(authority)" }

    private static func split(_ rest: Substring) -> (name: Substring, port: Substring?)? {
        let utf8 = rest.utf8
        if utf8.first == UInt8(ascii: "[") {
            guard let end = utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let name = Substring(utf8[..<end].dropFirst())
            let behind = utf8[end...].dropFirst()
            guard let colon = behind.first else { return (name, nil) }
            return colon == UInt8(ascii: ":") ? (name, Substring(behind.dropFirst())) : nil
        }
        let parts = utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard let name = parts.first, parts.count <= 2 else { return nil }
        return (Substring(name), parts.count == 2 ? Substring(parts[1]) : nil)
    }

    private static func isHost(_ name: Substring, isBracketed: Bool) -> Bool {
        let utf8 = name.utf8
        guard !utf8.isEmpty, utf8.count <= hostBytesMax else { return false }
        if isBracketed {
            return utf8.contains(UInt8(ascii: ":")) && utf8.allSatisfy { isHexDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
        }
        return utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.allSatisfy(isLabelByte)
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20) }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
