import Broker
import Events
import Ledger
import TestSupport

extension RealStores {
    /// What a publisher does, until nothing is pending.
    func publishAll(keep: Int) async throws {
        while true {
            let claims = try await ledger.claimOutbox(sink: "outlet", publisher: WorkerID("test"), ttl: .seconds(600), limit: 10)
            if claims.isEmpty { return }
            for claim in claims {
                let events = try await ledger.events(run: claim.run, after: claim.nextSeq - 1, limit: 1000, maxBytes: 1 << 20)
                _ = try await outlet.publish(events, run: claim.run, lastSeq: claim.lastSeq, keep: keep)
                _ = try await ledger.markPublished([(claim, (events.last?.seq ?? 0) + 1)])
            }
        }
    }
}
