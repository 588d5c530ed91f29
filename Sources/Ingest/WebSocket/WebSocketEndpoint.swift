/// Where a WebSocket server listens: scheme, host and port of an upstream as an operator writes it.
///
/// `wss://host`, `ws://host:2470`, `https://host`, `http://host` or a bare `host[:port]`, which means `wss`. A path of `/` is allowed and
/// nothing else behind the host: the path of a request belongs to the protocol that is spoken, not to the configuration.
public struct WebSocketEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// Lower case; an IPv6 address without its brackets.
    public let host: String
    /// 1 to 65535.
    public let port: Int
    /// True for `wss` and `https`.
    public let isSecure: Bool

    /// Why a text is not an endpoint. Stops the start, with what is allowed.
    public struct Invalid: Error, Hashable, CustomStringConvertible {
        public let text: String
        public let problem: String
        public var description: String {
            "\"\(text)\" is not an upstream's address: \(problem); allowed are ws://, wss://, http://, https:// or a bare host[:port]"
        }
    }

    public init(_ text: String) throws(Invalid) {
        var rest = Substring(text)
        isSecure = try Self.takeScheme(&rest, of: text)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.contains(where: { "/?#@".contains($0) }) else { throw Invalid(text: text, problem: "a path, query or user is not allowed") }
        let (name, portText) = try Self.splitPort(rest, of: text)
        guard !name.isEmpty, name.utf8.count <= 253, name.utf8.allSatisfy(Self.isAllowedInHost) else {
            throw Invalid(text: text, problem: "the host is empty, longer than 253 bytes or holds a character that no host has")
        }
        host = name.lowercased()
        guard let portText else {
            port = isSecure ? 443 : 80
            return
        }
        guard let number = Int(portText), (1...65535).contains(number) else { throw Invalid(text: text, problem: "the port is not 1 to 65535") }
        port = number
    }

    /// `host`, or `host:port` where the port is not the scheme's own: the name of the upstream, and the `Host` header of a request.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    public var description: String { "\(isSecure ? "wss" : "ws")://\(authority)" }

    private static func takeScheme(_ rest: inout Substring, of text: String) throws(Invalid) -> Bool {
        guard let separator = rest.firstRange(of: "://") else { return true }
        let scheme = rest[..<separator.lowerBound].lowercased()
        rest = rest[separator.upperBound...]
        switch scheme {
        case "ws", "http": return false
        case "wss", "https": return true
        default: throw Invalid(text: text, problem: "the scheme \(scheme) is unknown")
        }
    }

    private static func splitPort(_ rest: Substring, of text: String) throws(Invalid) -> (name: Substring, port: Substring?) {
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { throw Invalid(text: text, problem: "an IPv6 address lacks its closing bracket") }
            let behind = rest[rest.index(after: end)...]
            let name = rest[rest.index(after: rest.startIndex)..<end]
            if behind.isEmpty { return (name, nil) }
            guard behind.hasPrefix(":") else { throw Invalid(text: text, problem: "behind an IPv6 address only a port may stand") }
            return (name, behind.dropFirst())
        }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return (rest, nil)
        case 2: return (parts[0], parts[1])
        default: throw Invalid(text: text, problem: "an IPv6 address needs brackets")
        }
    }

    private static func isAllowedInHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"): true
        default: false
        }
    }
}
