import Broker
import Events
import Ledger

extension JSONWriter {
    /// The fleet as `/status` shows it.
    mutating func member(_ status: FleetStatus) {
        key("upstreams")
        beginArray()
        for upstream in status.upstreams { value(upstream) }
        endArray()
        key("shards")
        beginArray()
        for shard in status.shards { value(shard) }
        endArray()
        key("workers")
        beginArray()
        for worker in status.workers { value(worker) }
        endArray()
        key("refused")
        beginObject()
        for (reason, count) in status.refused.sorted(by: { $0.key < $1.key }) {
            key(dynamic: reason)
            value(count)
        }
        endObject()
        member(status.backfill)
    }

    /// How full Redis is; null where it does not answer.
    mutating func member(_ levels: BrokerLevels?) {
        key("broker")
        guard let levels else { return null() }
        beginObject()
        member("entries", levels.entries.reduce(0, +))
        member("bytes", levels.bytes.reduce(0, +))
        member("used_memory_bytes", levels.usedMemory)
        member("max_memory_bytes", levels.maxMemory)
        member("queued_jobs", levels.queuedJobs)
        key("entries_by_shard")
        beginArray()
        for count in levels.entries { value(count) }
        endArray()
        endObject()
    }

    private mutating func value(_ upstream: FleetStatus.Upstream) {
        beginObject()
        member("name", upstream.name.description)
        if let owner = upstream.owner { member("owner", owner) }
        member("lease_ms_left", upstream.leaseMsLeft)
        if let session = upstream.session { member("session", session) }
        if let watermark = upstream.watermark { member("watermark", watermark.description) }
        member("rewind_pending", upstream.rewindPending)
        member("declared_gaps", upstream.declaredGaps)
        if let report = upstream.report {
            key("report")
            value(report, ageMs: upstream.reportAgeMs)
        }
        endObject()
    }

    private mutating func value(_ report: UpstreamReport, ageMs: Int64?) {
        beginObject()
        member("state", report.state.rawValue)
        if !report.reason.isEmpty { member("reason", report.reason) }
        if let position = report.position { member("position", position.description) }
        member("events", report.events)
        member("bytes", report.bytes)
        if let time = report.lastMessageAt { member("last_message_at", time.rfc3339) }
        if let ageMs { member("age_ms", ageMs) }
        endObject()
    }

    private mutating func value(_ shard: FleetStatus.ShardStatus) {
        beginObject()
        member("shard", shard.shard)
        if let owner = shard.owner { member("owner", owner) }
        member("lease_ms_left", shard.leaseMsLeft)
        if let reason = shard.haltedReason { member("halted", reason) }
        member("offset", shard.offset.description)
        member("last_seq", shard.lastSeq)
        member("next_seq", shard.nextSeq)
        if let ageMs = shard.lastCommitAgeMs { member("last_commit_age_ms", ageMs) }
        member("held", shard.held)
        if let error = shard.outboxError { member("outbox_error", error) }
        key("labels")
        value(shard.labels)
        endObject()
    }

    /// A shard's log of labels.
    private mutating func value(_ log: FleetStatus.LogStatus) {
        beginObject()
        member("offset", log.offset.description)
        member("last_seq", log.lastSeq)
        member("next_seq", log.nextSeq)
        if let ageMs = log.lastCommitAgeMs { member("last_commit_age_ms", ageMs) }
        member("held", log.held)
        if let error = log.outboxError { member("outbox_error", error) }
        endObject()
    }
}
