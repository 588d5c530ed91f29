import Broker
import Events
import Flow
import Ledger

/// Publishes one claim's next batch: read from the log, check, write to the outlet. Outside of any database transaction.
struct ClaimPublisher: Sendable {
    let configuration: PublisherConfiguration
    let store: any OutboxStore
    let outlet: any OutletWriter
    let now: @Sendable () -> MonotonicTime
    let lease: LeaseClock
    var seams = FaultSeams.off
    var pressure = OutletPressure()

    /// - Parameter bound: how much the run's outlet may keep; moved by the batch.
    func publish(_ claim: OutboxClaim, bound: inout OutletBound) async -> PublishOutcome {
        let events: [LogEvent]
        do {
            events = try await store.events(
                run: claim.run, after: claim.nextSeq - 1, limit: configuration.batchEvents, maxBytes: configuration.batchBytes)
        } catch {
            return .failed(claim, error: error.description)
        }
        switch PublishPlan(claim: claim, events: events) {
        case .idle: return .idle(claim)
        case .gap(let expected, let lastGood, let found): return .gap(claim, expected: expected, lastGood: lastGood, found: found)
        case .publish(let batch): return await write(batch, claim, keep: pressure.keep(bound.keep(after: batch)))
        }
    }

    private func write(_ batch: [LogEvent], _ claim: OutboxClaim, keep: Int) async -> PublishOutcome {
        let last = batch.last?.seq ?? claim.lastSeq
        do {
            guard lease.isTrusted(at: now()) else { return .untrusted(claim) }
            seams.reached(.outboxBeforePublish)
            let result = try await outlet.publish(batch, run: claim.run, lastSeq: max(claim.lastSeq, last), keep: keep)
            guard case .foreign(let top) = result else { return .published(claim, batch, rebuilt: false) }
            return try await rebuild(batch, claim, keep: keep, top: top)
        } catch let error as BrokerError {
            // A full server refuses the batch with its trim. Where this fails too, the next try comes here again.
            if error.code == .outOfMemory { try? await outlet.trim(run: claim.run, keep: keep) }
            return .failed(claim, error: error.description)
        } catch {
            return .failed(claim, error: "\(error)")
        }
    }

    /// Deletes an outlet whose top id is above everything the run has, and publishes the batch into an empty one; readers take what is
    /// older from Postgres.
    ///
    /// The run's last seq is read again first: a publisher that slept past its lease has an old one, and would
    /// otherwise take its successor's entries for foreign ones.
    private func rebuild(_ batch: [LogEvent], _ claim: OutboxClaim, keep: Int, top: EntryID) async throws -> PublishOutcome {
        guard let summary = try await store.run(claim.run) else { return .failed(claim, error: "run \(claim.run) is gone") }
        guard lease.isTrusted(at: now()) else { return .untrusted(claim) }
        if top > EntryID(milliseconds: UInt64(max(summary.lastSeq, 0)), sequence: 0) {
            try await outlet.delete(run: claim.run)
        }
        switch try await outlet.publish(batch, run: claim.run, lastSeq: summary.lastSeq, keep: keep) {
        case .published: return .published(claim, batch, rebuilt: true)
        case .foreign(let top): return .failed(claim, error: "outlet of \(claim.run) has a foreign top id \(top) again after it was rebuilt")
        }
    }
}
