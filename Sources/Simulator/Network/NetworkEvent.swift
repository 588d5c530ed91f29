/// One thing that happened in the network, encoded but for number and time, with what a correct consumer learns from it.
struct NetworkEvent: Sendable {
    enum Kind: Sendable {
        case commit
        /// With what changed since the last commit, where the repository changed without one.
        case sync
        case identity(handle: String?)
        case account(active: Bool, status: String?)
        /// A commit that only one relay sends and that nobody may accept.
        case forged(FaultKind, relay: Int)
    }

    var kind: Kind
    var did: String
    /// Empty at identity and account events.
    var rev: String = ""
    /// The rev before; nil where there was none or the kind has none.
    var since: String?
    var operations: [RepositoryOperation] = []
    /// The network's own time of it.
    var microseconds: Int64
    var body: MessageBody
    /// The fault that made it, where one did.
    var fault: FaultKind?
}
