public import Events

/// What to do with the events that the log gave for a run in a sink: the decision without the doing.
public enum DeliveryPlan: Hashable, Sendable {
    /// Nothing is to be delivered: the cursor stands behind the last event.
    case idle
    /// The log does not have `expected`, though the run's last seq is at or above it: our own corruption.
    case gap(expected: Int64, lastGood: Int64, found: Int64?)
    /// None of these is wanted: the cursor moves behind `through` without a delivery.
    case pass(through: Int64)
    /// Those are wanted, in order, at least one; when all are delivered the cursor stands behind `through`.
    case deliver([LogEvent], through: Int64)

    /// - Parameters:
    ///   - next: the cursor: what is below was delivered.
    ///   - last: the run's last seq, as far as is known.
    ///   - events: with seq ≥ `next`, in order; a prefix of what the log has.
    ///
    /// Events before a gap are delivered first: the next plan then finds the gap at its front.
    public init(next: Int64, last: Int64, events: [LogEvent], wants: (LogEvent) -> Bool) {
        guard let first = events.first else {
            self = next <= last ? .gap(expected: next, lastGood: next - 1, found: nil) : .idle
            return
        }
        guard first.seq == next else {
            self = .gap(expected: next, lastGood: next - 1, found: first.seq)
            return
        }
        var wanted: [LogEvent] = []
        var through = next - 1
        for event in events {
            guard event.seq == through + 1 else { break }
            through = event.seq
            if wants(event) { wanted.append(event) }
        }
        self = wanted.isEmpty ? .pass(through: through) : .deliver(wanted, through: through)
    }
}
