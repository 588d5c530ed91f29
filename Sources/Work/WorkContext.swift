internal import Broker
internal import Ledger
internal import Logging

/// What every shard's pipeline of a process shares.
struct WorkContext: Sendable {
    var configuration: WorkerConfiguration
    var ledger: Ledger
    var streams: WorkStreams
    /// Of tracked repositories; nil where none are.
    var snapshots: SnapshotStreams?
    var turns: SnapshotTurns
    var identities: IdentityResolver
    var labelKeys: any LabelKeys
    var labelSources: LabelSources
    var totals: WorkTotals
    var room: BatchRoom
    var clock: WorkClock
    var logger: Logger
}
