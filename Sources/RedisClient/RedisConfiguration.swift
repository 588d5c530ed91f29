/// Where a Redis server is, how to log in, and the bounds of a client.
public struct RedisConfiguration: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    public enum Address: Sendable, Hashable, CustomStringConvertible {
        case tcp(host: String, port: Int)
        case unix(path: String)

        public var description: String {
            switch self {
            case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            case .unix(let path): path
            }
        }
    }

    public enum TLS: Sendable, Hashable {
        case disabled
        /// The server's certificate and name are checked, against the authorities of a PEM file or, where nil, of the system.
        case verified(authoritiesPath: String?)
        /// Encrypted, to whoever answers: for tests only.
        case unverified
    }

    public var address: Address
    public var tls: TLS
    /// The ACL user; nil logs in as `default` where there is a password.
    public var username: String?
    public var password: String?
    /// 0 to 2^31-1, 0 by default.
    public var database: Int
    /// For `CLIENT LIST`: printable ASCII without spaces; anything else is replaced by `-`. Empty: none is set.
    public var clientName: String
    /// For the connection itself, TLS and the log-in together. Default 5 s.
    public var connectTimeout: Duration
    /// From the call of `send` to the last reply, unless the call says otherwise. Default 10 s.
    public var commandTimeout: Duration
    /// How many connections a client shares among its callers, 1 to 64; default 2.
    public var connectionCount: Int
    /// How many batches of one connection may be unanswered; further ones wait. 1 to 1024, default 8.
    public var inFlightBatchesMax: Int
    /// How many bytes of commands of one connection may be unanswered (one batch alone may be larger). Default 16 MiB.
    public var inFlightBytesMax: Int
    /// How many callers may wait for one connection; further ones get `overloaded`. Default 4096.
    public var waitingBatchesMax: Int
    /// A larger reply ends the connection. Default 512 MiB, the largest value Redis keeps.
    public var replyBytesMax: Int
    /// The pause after the first failed connection attempt; it doubles with each further one. Default 50 ms.
    public var reconnectDelayMin: Duration
    /// The longest pause. Each pause is a random part (half to all) of what the doubling gives, and never above this. Default 2 s.
    public var reconnectDelayMax: Duration

    public init(address: Address = .tcp(host: "127.0.0.1", port: 6379), tls: TLS = .disabled) {
        self.address = address
        self.tls = tls
        database = 0
        clientName = ""
        connectTimeout = .seconds(5)
        commandTimeout = .seconds(10)
        connectionCount = 2
        inFlightBatchesMax = 8
        inFlightBytesMax = 16 << 20
        waitingBatchesMax = 4096
        replyBytesMax = 512 << 20
        reconnectDelayMin = .milliseconds(50)
        reconnectDelayMax = .seconds(2)
    }

    /// Without the password.
    public var description: String {
        let scheme =
            switch address {
            case .unix: "redis+unix"
            case .tcp: tls == .disabled ? "redis" : "rediss"
            }
        let user = username.map { "\($0)@" } ?? ""
        return "\(scheme)://\(user)\(address)\(database == 0 ? "" : "?db=\(database)")"
    }

    /// Keeps the password out of dumps too.
    public var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}
