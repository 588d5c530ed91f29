import Events
import Ledger

/// What to do with the events that the log gave for a claim: the decision without the doing.
enum PublishPlan: Hashable, Sendable {
    /// These, which follow each other and begin with the claim's next seq.
    case publish([LogEvent])
    /// The log does not have `expected`, though the run's last seq is at or above it: our own corruption.
    case gap(expected: Int64, lastGood: Int64, found: Int64?)
    /// Nothing is to be published: the claim was for a run that has nothing new.
    case idle

    /// - Parameter events: with seq ≥ the claim's next seq, in order; a prefix of what the log has (a batch is bounded).
    ///
    /// Events before a gap are published first: the next claim then finds the gap at its front. So what is good goes out, and the run
    /// stops at exactly the first seq that is not there.
    init(claim: OutboxClaim, events: [LogEvent]) {
        guard let first = events.first else {
            self = claim.nextSeq <= claim.lastSeq ? .gap(expected: claim.nextSeq, lastGood: claim.nextSeq - 1, found: nil) : .idle
            return
        }
        guard first.seq == claim.nextSeq else {
            self = .gap(expected: claim.nextSeq, lastGood: claim.nextSeq - 1, found: first.seq)
            return
        }
        var count = 1
        while count < events.count, events[count].seq == first.seq + Int64(count) { count += 1 }
        self = .publish(count == events.count ? events : Array(events[..<count]))
    }
}
