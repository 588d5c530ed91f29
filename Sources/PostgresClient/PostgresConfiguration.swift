internal import CLibpq

/// How to reach a server: a `postgres://` URL or a `key=value` string, as libpq reads it, and what Weir adds.
///
/// What the string leaves out libpq takes from its own environment (`PGPASSWORD`, `PGSSLROOTCERT`, a service file, …). TLS is `sslmode`'s matter,
/// as libpq has it (`prefer` unless given; `verify-full` is what a network needs).
public struct PostgresConfiguration: Sendable, CustomStringConvertible {
    /// libpq's keywords and values as the string gave them.
    private var given: [String: String]
    /// Up to 63 bytes; the server cuts what is longer. Empty: none.
    public var applicationName: String
    /// For one attempt, over all hosts and addresses.
    public var connectTimeout: Duration = .seconds(5)
    /// The server ends a statement after it. Zero: no bound.
    public var statementTimeout: Duration = .seconds(30)
    /// The server ends a statement that waits longer for one lock. Zero: no bound.
    public var lockTimeout: Duration = .zero
    /// The server ends a session that leaves a transaction idle for longer. Zero: no bound.
    public var idleInTransactionTimeout: Duration = .zero
    /// This client gives a server up that neither takes nor sends a byte for so long in an operation. Keep it above `statementTimeout`.
    public var silenceTimeout: Duration = .seconds(45)
    /// After a cancel request, how long to wait for the server to confirm before the socket is closed.
    public var cancelGrace: Duration = .seconds(2)
    /// Schemas in which unqualified names are looked up, in this order. Empty: the server's default.
    public var searchPath: [String] = []
    /// Prepared statements that one connection keeps, at least 1.
    public var preparedStatementsMax = 256

    /// Throws ``PostgresErrorCode/invalidConfiguration`` where libpq cannot read the string. The error does not hold the string, which may hold a
    /// password.
    public init(url: String, applicationName: String = "weir") throws(PostgresError) {
        guard let given = parseConnectionString(url) else {
            throw PostgresError(
                code: .invalidConfiguration,
                message: "this is not a postgres:// URL or key=value string that libpq can read (not shown: it may hold a password)")
        }
        self.given = given
        self.applicationName = given["application_name"] ?? applicationName
    }

    /// Host, port, database and user; never the password.
    public var description: String {
        let host = given["host"] ?? given["hostaddr"] ?? "local"
        return "\(given["user"] ?? "")@\(host):\(given["port"] ?? "5432")/\(given["dbname"] ?? "")"
    }

    public var database: String? { given["dbname"] }
    public var user: String? { given["user"] }

    /// What must not appear in a message.
    var password: String? { given["password"] }

    /// Keywords and values for `PQconnectStartParams`.
    var parameters: [(keyword: String, value: String)] {
        var all = [
            "gssencmode": "disable", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3",
            "tcp_user_timeout": "\(max(milliseconds(connectTimeout), 1000) * 2)",
        ]
        all.merge(given) { $1 }
        all["client_encoding"] = "UTF8"
        if !applicationName.isEmpty { all["application_name"] = applicationName }
        let options = [given["options"] ?? ""] + settings.map { "-c \($0)=\(Self.escaped($1))" }
        all["options"] = options.filter { !$0.isEmpty }.joined(separator: " ")
        return all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private var settings: [(String, String)] {
        var settings: [(String, String)] = []
        func add(_ name: String, _ timeout: Duration) {
            if timeout > .zero { settings.append((name, "\(milliseconds(timeout))")) }
        }
        add("statement_timeout", statementTimeout)
        add("lock_timeout", lockTimeout)
        add("idle_in_transaction_session_timeout", idleInTransactionTimeout)
        if !searchPath.isEmpty {
            let quoted = searchPath.map { "\"" + $0.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" }
            settings.append(("search_path", quoted.joined(separator: ",")))
        }
        return settings
    }

    /// In `options` a blank or backslash within a value stands behind a backslash.
    private static func escaped(_ value: String) -> String {
        String(value.flatMap { $0 == " " || $0 == "\\" ? ["\\", $0] : [$0] })
    }

    private func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return min(max(seconds, 0), 1_000_000) * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

private func parseConnectionString(_ text: String) -> [String: String]? {
    guard let options = PQconninfoParse(text, nil) else { return nil }
    defer { PQconninfoFree(options) }
    var given: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
        if let value = option.pointee.val { given[String(cString: keyword)] = String(cString: value) }
        option += 1
    }
    return given
}
