import Broker
import Events
import Flow
import Ledger

/// Delivers what a claimed run has for a sink: read from the log, filter, write, in batches, one after the other. Outside of any database transaction.
struct RunDeliverer: Sendable {
    let handle: SinkHandle
    let configuration: SinkServiceConfiguration
    let store: any SinkStore
    let writer: any SinkWriter
    let lease: LeaseClock
    let seams: FaultSeams

    private var definition: SinkDefinition { handle.definition }

    /// - Parameter batchMax: events of a batch, where an earlier one was refused.
    func deliver(_ claim: OutboxClaim, batchMax: Int) async -> RunOutcome {
        var outcome = RunOutcome(claim: claim, nextSeq: claim.nextSeq)
        let events: [LogEvent]
        do {
            events = try await store.events(
                run: claim.run, after: claim.nextSeq - 1, limit: configuration.readEvents, maxBytes: configuration.readBytes)
        } catch {
            outcome.end = .unread(error.description)
            return outcome
        }
        switch DeliveryPlan(next: claim.nextSeq, last: claim.lastSeq, events: events, wants: definition.wants) {
        case .idle: break
        case .gap(let expected, let lastGood, let found): outcome.end = .gap(expected: expected, lastGood: lastGood, found: found)
        case .pass(let through): outcome.nextSeq = through + 1
        case .deliver(let wanted, let through): await deliver(wanted, through: through, batchMax: batchMax, &outcome)
        }
        return outcome
    }

    private func deliver(_ wanted: [LogEvent], through: Int64, batchMax: Int, _ outcome: inout RunOutcome) async {
        let items = wanted.map { SinkBatch.Item(event: $0, bytes: definition.format.render($0) ?? []) }
        let most = min(definition.batch.events, batchMax, definition.rate ?? .max)
        for range in DeliveryCut.ranges(items.map(\.bytes.count), events: most, bytes: definition.batch.bytes) {
            let isLast = range.upperBound == items.count
            let batch = SinkBatch(
                sink: definition.name, run: outcome.claim.run, epoch: outcome.claim.epoch, items: Array(items[range]), from: outcome.nextSeq,
                through: isLast ? through : items[range.upperBound].event.seq - 1)
            let now = MonotonicTime.current
            guard !handle.isEnding, lease.remaining(at: now) >= definition.timeout, let permit = handle.gate.admit(range.count, at: now) else {
                return
            }
            seams.reached(.sinkBeforeDeliver)
            if let error = await offer(batch, permit) {
                outcome.end = .failed(error, batch)
                return
            }
            outcome.nextSeq = batch.through + 1
            outcome.delivered += batch.items.map(\.event)
        }
    }

    /// Nil where the target has the batch.
    func offer(_ batch: SinkBatch, _ permit: CircuitBreaker.Permit) async -> DeliveryError? {
        do {
            try await writer.deliver(batch)
            handle.gate.answered(permit)
            handle.delivered(batch.items.count)
            return nil
        } catch {
            switch error.code {
            case .poison: handle.gate.answered(permit)
            case .transient: handle.gate.failed(permit, at: .current)
            case .cancelled: handle.gate.abandoned(permit)
            }
            return error
        }
    }
}
