import Events
import Flow
import Ledger

@testable import Work

/// What the statements of the real ledger do with a batch, and what must hold after each.
extension ModelTracking {
    mutating func want(_ did: String) {
        var job = jobs[did] ?? Job()
        job.again = job.state == "fetching" || job.state == "streamed"
        if job.state == "done" || job.state == "refused" { job.state = "waiting" }
        jobs[did] = job
    }

    mutating func commit(_ batch: ShardBatch) {
        for event in batch.events where event.kind == .record {
            let path = "\(event.collection)/\(event.rkey)"
            let had = consumer[event.did, default: [:]][path]
            switch event.action {
            case .create where had != nil: problem = problem ?? "\(event.did) \(path) was created twice"
            case .update where had == nil: problem = problem ?? "\(event.did) \(path) was updated and is not there"
            case .delete where had == nil: problem = problem ?? "\(event.did) \(path) was deleted and is not there"
            default: break
            }
            consumer[event.did, default: [:]][path] = event.action == .delete ? nil : event.cid
        }
        let changes = batch.tracked
        if Set(changes.records.map { "\($0.did) \($0.path)" }).count != changes.records.count { problem = problem ?? "a record twice in one batch" }
        for change in changes.records { records[change.did, default: [:]][change.path] = change.cid }
        for did in changes.snapshotsDropped { progress[did] = nil }
        for row in changes.snapshots { progress[row.did] = SnapshotProgress(row) }
        for ending in changes.ended {
            guard let job = jobs[ending.did], job.attempt == ending.attempt, job.state == "fetching" || job.state == "streamed" else { continue }
            jobs[ending.did]?.state = ending.outcome == .retry || job.again ? "waiting" : ending.outcome.rawValue
            jobs[ending.did]?.again = false
        }
        for want in changes.wanted { self.want(want.did) }
        for id in batch.released { held[id] = nil }
        for (id, dueAt) in batch.postponed {
            held[id]?.dueAt = dueAt
            held[id]?.attempts += 1
        }
        for did in changes.heldDropped { held = held.filter { $0.value.did != did } }
        for message in batch.held {
            lastHeld += 1
            held[lastHeld] = message
            held[lastHeld]?.id = lastHeld
        }
    }

    mutating func check() {
        if holds.count != held.count { problem = problem ?? "the table of holds counts \(holds.count), there are \(held.count)" }
        for (did, chain) in chains where chain.waitsForSnapshot {
            if jobs[did].map({ $0.state == "done" || $0.state == "refused" }) ?? true {
                problem = problem ?? "\(did) waits for a snapshot that nobody will fetch (\(chain.status) \(chain.reason))"
            }
        }
    }
}
