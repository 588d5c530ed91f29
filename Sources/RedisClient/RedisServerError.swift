/// An error that Redis answered, told apart by its first word and, where that is just `ERR`, by its text.
public struct RedisServerError: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// At `maxmemory`: the command was not run.
        case oom
        /// A replica: nothing can be written here.
        case readOnly
        /// Still loading its data.
        case loading
        /// EVALSHA of a script that it does not know.
        case noScript
        /// Redis Cluster: the slot belongs to another node, for good or for this one command.
        case moved(slot: Int, address: String)
        case ask(slot: Int, address: String)
        /// No or wrong credentials (`NOAUTH`, `WRONGPASS`).
        case noAuth
        /// This user may not do that.
        case noPermission
        case wrongType
        /// XGROUP CREATE of a group that exists.
        case busyGroup
        /// No such consumer group, or no such stream.
        case noGroup
        /// XADD or XSETID with an id that is not above the stream's top item.
        case xaddIDTooSmall
        /// A command on a key that must exist and does not.
        case noSuchKey
        /// Cannot write just now: its disk or its replicas fail (`MISCONF`, `NOREPLICAS`), or its cluster or primary is down
        /// (`CLUSTERDOWN`, `MASTERDOWN`, `TRYAGAIN`), or it runs a script (`BUSY`).
        case unavailable
        case other
    }

    public var kind: Kind
    /// The whole text, as Redis sent it.
    public var message: String

    public init(message: String) {
        self.message = message
        kind = Self.kind(of: message)
    }

    public var description: String { message }

    private static func kind(of message: String) -> Kind {
        let words = message.split(separator: " ", maxSplits: 3)
        switch words.first {
        case "OOM": return .oom
        case "READONLY": return .readOnly
        case "LOADING": return .loading
        case "NOSCRIPT": return .noScript
        case "NOAUTH", "WRONGPASS": return .noAuth
        case "NOPERM": return .noPermission
        case "WRONGTYPE": return .wrongType
        case "BUSYGROUP": return .busyGroup
        case "NOGROUP": return .noGroup
        case "MISCONF", "NOREPLICAS", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "BUSY": return .unavailable
        case "MOVED", "ASK":
            guard words.count >= 3, let slot = Int(words[1]) else { return .other }
            let address = String(words[2])
            return words[0] == "MOVED" ? .moved(slot: slot, address: address) : .ask(slot: slot, address: address)
        case "ERR": return kind(ofGeneric: message)
        default: return .other
        }
    }

    private static func kind(ofGeneric message: String) -> Kind {
        if message.contains("smaller than the target stream top item") || message.contains("must be greater than 0-0") { return .xaddIDTooSmall }
        if message.contains("no such key") || message.contains("requires the key to exist") { return .noSuchKey }
        if message.contains("without any password configured") || message.contains("invalid password") { return .noAuth }
        return .other
    }
}
