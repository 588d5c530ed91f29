import Events
import Ledger

/// What became of one claim in a round.
enum PublishOutcome: Sendable {
    /// All of these stand in the outlet; to be marked.
    case published(OutboxClaim, [LogEvent], rebuilt: Bool)
    /// There was nothing: the claim is given back by marking where it stands.
    case idle(OutboxClaim)
    /// The log lacks a seq.
    case gap(OutboxClaim, expected: Int64, lastGood: Int64, found: Int64?)
    /// Redis or Postgres did not do it.
    case failed(OutboxClaim, error: String)
    /// The lease may no longer be trusted: nothing was done; the claim runs out by itself.
    case untrusted(OutboxClaim)
}
