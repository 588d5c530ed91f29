import ATProto
import Events
import Ledger

extension JSONWriter {
    /// What became of each named repository, and how often each came of it.
    mutating func value(_ dids: [String], _ outcomes: [String: ScopeOutcome]) {
        beginObject()
        key("results")
        beginArray()
        for did in dids {
            guard let outcome = outcomes[did] else { continue }
            beginObject()
            member("did", did)
            member("result", outcome.rawValue)
            endObject()
        }
        endArray()
        key("counts")
        beginObject()
        for outcome in ScopeOutcome.allCases {
            let count = dids.count { outcomes[$0] == outcome }
            guard count > 0 else { continue }
            key(dynamic: outcome.rawValue)
            value(count)
        }
        endObject()
        endObject()
    }

    mutating func value(_ page: RepositoryPage) {
        beginObject()
        key("repositories")
        beginArray()
        for repository in page.repositories {
            beginObject()
            member("did", repository.did)
            member("phase", repository.phase.rawValue)
            if !repository.reason.isEmpty { member("reason", repository.reason) }
            if !repository.rev.isEmpty { member("rev", repository.rev) }
            if let time = repository.retryAt { member("retry_at", time.rfc3339) }
            if !repository.error.isEmpty { member("error", repository.error) }
            endObject()
        }
        endArray()
        if let next = page.next { member("after", next) }
        endObject()
    }

    /// A repository as `/repos/{did}` shows it. What is not known is left out; `wanted` is null where nothing was said by name.
    mutating func value(_ view: RepositoryView) {
        beginObject()
        member("did", view.did)
        member("phase", view.phase.rawValue)
        member("shard", view.shard)
        key("wanted")
        if let isWanted = view.isWanted { value(isWanted) } else { null() }
        if let request = view.request { member("request", request) }
        if let row = view.row {
            member("status", row.status)
            if !row.reason.isEmpty { member("reason", row.reason) }
            if !row.rev.isEmpty { member("rev", row.rev) }
            if let root = try? CID(binary: row.data) { member("data", root.description) }
            if let time = row.identityTime { member("last_identity_at", time.rfc3339) }
            if let time = row.accountTime { member("last_account_at", time.rfc3339) }
        }
        member("records", min(view.records, RepositoryView.countMax))
        if view.records > RepositoryView.countMax { member("more_records", true) }
        member("held", min(view.held, RepositoryView.countMax))
        if let job = view.job {
            key("job")
            value(job)
        }
        if let identity = view.identity {
            key("identity")
            value(identity)
        }
        endObject()
    }

    private mutating func value(_ job: BackfillJob) {
        beginObject()
        member("state", job.state.rawValue)
        member("reason", job.reason)
        if !job.source.isEmpty { member("source", job.source) }
        member("attempt", job.attempt)
        if job.again { member("again", true) }
        member("failures", job.failures)
        if job.state == .waiting { member("retry_at", job.retryAt.rfc3339) }
        if !job.host.isEmpty { member("host", job.host) }
        if !job.error.isEmpty { member("error", job.error) }
        member("records", job.records)
        member("bytes", job.bytes)
        member("changed_at", job.changedAt.rfc3339)
        endObject()
    }

    private mutating func value(_ identity: StoredIdentity) {
        beginObject()
        member("status", identity.status.rawValue)
        if !identity.host.isEmpty { member("host", identity.host) }
        if !identity.handle.isEmpty { member("handle", identity.handle) }
        member("fetched_at", identity.fetchedAt.rfc3339)
        endObject()
    }
}
