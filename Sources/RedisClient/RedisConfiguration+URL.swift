extension RedisConfiguration {
    /// Reads the address of a server from a URL.
    ///
    /// - `redis://[[user]:password@][host][:port][/database]`, and `rediss://` for TLS;
    /// - `redis+unix://[[user]:password@]/path/of/socket[?db=0]`, also as `unix://`.
    ///
    /// User, password and path are percent-decoded. Options behind `?`: `db`, `client_name`, `connections` (1…64), `timeout_ms`,
    /// `connect_timeout_ms` (1…3600000), and with TLS `ca_file` (PEM) and `insecure` (`true`, `false`).
    /// - Throws: `invalidConfiguration`, which says what is wrong and never repeats what may be a password.
    public init(url: String) throws(RedisError) {
        guard let separator = url.firstRange(of: "://") else { throw Self.wrong("no scheme; redis://, rediss:// or redis+unix:// is needed") }
        var rest = url[separator.upperBound...]
        var query: Substring = ""
        if rest.contains("#") { throw Self.wrong("a fragment (#…) means nothing here; write # as %23") }
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        let pathStart = rest.firstIndex(of: "/") ?? rest.endIndex
        let (authority, path) = (rest[..<pathStart], rest[pathStart...])
        let at = authority.lastIndex(of: "@")
        let hostAndPort = at.map { authority[authority.index(after: $0)...] } ?? authority

        switch url[..<separator.lowerBound].lowercased() {
        case "redis": self.init(address: try Self.tcp(hostAndPort), tls: .disabled)
        case "rediss": self.init(address: try Self.tcp(hostAndPort), tls: .verified(authoritiesPath: nil))
        case "redis+unix", "unix":
            guard hostAndPort.isEmpty, path.count > 1 else { throw Self.wrong("a Unix socket is written redis+unix:///path/of/socket") }
            self.init(address: .unix(path: try Self.decoded(path, "path")))
        default: throw Self.wrong("unknown scheme; redis://, rediss:// or redis+unix:// is needed")
        }
        if let at { try readUser(authority[..<at]) }
        if case .tcp = address, path.count > 1 { database = try Self.number(path.dropFirst(), "database", 0...Int(Int32.max)) }
        for option in query.split(separator: "&") { try readOption(option) }
    }

    private mutating func readUser(_ text: Substring) throws(RedisError) {
        guard let colon = text.firstIndex(of: ":") else { throw Self.wrong("a user without a password; write user:password@ or :password@") }
        let user = try Self.decoded(text[..<colon], "user")
        username = user.isEmpty ? nil : user
        password = try Self.decoded(text[text.index(after: colon)...], "password")
        if password?.isEmpty == true {
            guard username == nil else { throw Self.wrong("an empty password") }
            password = nil
        }
    }

    private mutating func readOption(_ option: Substring) throws(RedisError) {
        let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count == 2 ? parts[1] : ""
        switch parts[0] {
        case "db": database = try Self.number(value, "db", 0...Int(Int32.max))
        case "client_name": clientName = try Self.decoded(value, "client_name")
        case "connections": connectionCount = try Self.number(value, "connections", 1...64)
        case "timeout_ms": commandTimeout = .milliseconds(try Self.number(value, "timeout_ms", 1...3_600_000))
        case "connect_timeout_ms": connectTimeout = .milliseconds(try Self.number(value, "connect_timeout_ms", 1...3_600_000))
        case "ca_file":
            guard tls != .disabled else { throw Self.wrong("ca_file needs rediss://") }
            if tls != .unverified { tls = .verified(authoritiesPath: try Self.decoded(value, "ca_file")) }
        case "insecure":
            guard tls != .disabled else { throw Self.wrong("insecure needs rediss://") }
            guard value == "true" || value == "false" else { throw Self.wrong("insecure is true or false") }
            if value == "true" { tls = .unverified }
        default:
            throw Self.wrong("an unknown option; known are db, client_name, connections, timeout_ms, connect_timeout_ms, ca_file, insecure")
        }
    }

    private static func tcp(_ text: Substring) throws(RedisError) -> Address {
        var (host, port) = (text, Substring(""))
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw wrong("an IPv6 address without its closing bracket") }
            host = text[text.index(after: text.startIndex)..<end]
            port = text[text.index(after: end)...]
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[colon...]
        }
        guard port.isEmpty || port.hasPrefix(":") else { throw wrong("what stands behind the IPv6 address is no port") }
        let number = port.count > 1 ? try number(port.dropFirst(), "port", 1...65535) : 6379
        return .tcp(host: host.isEmpty ? "127.0.0.1" : try decoded(host, "host"), port: number)
    }

    private static func number(_ text: Substring, _ name: String, _ range: ClosedRange<Int>) throws(RedisError) -> Int {
        guard let value = Int(text), range.contains(value) else {
            throw wrong("\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private static func decoded(_ text: Substring, _ name: String) throws(RedisError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimal), let low = rest.popFirst().flatMap(hexadecimal) else {
                throw wrong("\(name) has a % that is not followed by two hexadecimal digits")
            }
            bytes.append(high << 4 | low)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw wrong("\(name) is not UTF-8") }
        return text
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? { Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init) }

    private static func wrong(_ message: String) -> RedisError { RedisError(code: .invalidConfiguration, message: "Redis URL: \(message)") }
}
