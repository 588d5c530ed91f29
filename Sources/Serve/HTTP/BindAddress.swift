/// Where a server listens: `host:port`, an IPv6 host in brackets.
public struct BindAddress: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    /// 0: a free one.
    public var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Nil where the text is not of that form.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.host = String(host)
        self.port = Int(port)
    }

    /// True where only this machine can connect. A name that merely begins like such an address is none.
    public var isLoopback: Bool {
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return host == "localhost" || host == "::1" || numbers.first == "127" && numbers.count == 4 && numbers.allSatisfy { UInt8($0) != nil }
    }

    /// As it stands in an address.
    var hostText: String { host.contains(":") ? "[\(host)]" : host }

    public var description: String { "\(hostText):\(port)" }
}
