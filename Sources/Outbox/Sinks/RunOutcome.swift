import Events
import Ledger

/// What became of one run's claim in a sink.
struct RunOutcome: Sendable {
    enum End: Sendable {
        /// All that was read is delivered, or was not wanted; or it may not go on now (the lease, the breaker, the end).
        case stopped
        case failed(DeliveryError, SinkBatch)
        /// The log lacks a seq.
        case gap(expected: Int64, lastGood: Int64, found: Int64?)
        /// The log could not be read.
        case unread(String)
    }

    var claim: OutboxClaim
    /// Where the cursor stands now.
    var nextSeq: Int64
    var delivered: [LogEvent] = []
    var end = End.stopped
}
