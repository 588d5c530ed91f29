/// Why a process or a fleet is not ready: a stable code, what it is about, and a sentence for a person.
public struct ReadinessReason: Hashable, Sendable {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case shardUnowned = "shard_unowned"
        case shardHalted = "shard_halted"
        case shardStalled = "shard_stalled"
        case outletStalled = "outlet_stalled"
        case upstreamUnowned = "upstream_unowned"
        case upstreamSilent = "upstream_silent"
        case upstreamDown = "upstream_down"
        case rewindPending = "rewind_pending"
        case ledgerUnavailable = "ledger_unavailable"
        /// A reason of a role's own.
        case role
    }

    public var code: Code
    /// `shard 3`, `firehose/relay.example`, `ledger`.
    public var entity: String
    public var detail: String

    public init(code: Code, entity: String, detail: String) {
        self.code = code
        self.entity = entity
        self.detail = detail
    }
}

/// Says why something is not ready; nothing to say means ready. Progress counts, not that a server answers a ping.
public protocol ReadinessSource: Sendable {
    func reasons() async -> [ReadinessReason]
}
