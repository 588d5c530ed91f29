import Events
import Ledger

extension JSONWriter {
    /// The backfill as `/status` shows it. A count of jobs that is `jobs_counted_to` means: or more.
    mutating func member(_ backfill: BackfillStatus) {
        key("backfill")
        beginObject()
        key("sources")
        beginArray()
        for source in backfill.sources { value(source) }
        endArray()
        key("jobs")
        beginObject()
        member("waiting", backfill.jobs.waiting)
        member("queued", backfill.jobs.queued)
        member("fetching", backfill.jobs.fetching)
        member("streamed", backfill.jobs.streamed)
        endObject()
        member("jobs_counted_to", BackfillStatus.countMax)
        member("parked_hosts", backfill.parkedCount)
        key("parked")
        beginArray()
        for host in backfill.parked {
            beginObject()
            member("host", host.host)
            member("ms_left", host.left.milliseconds)
            member("failures", host.failures)
            member("reason", host.reason)
            endObject()
        }
        endArray()
        endObject()
    }

    private mutating func value(_ source: BackfillStatus.Source) {
        beginObject()
        member("host", source.host)
        member("method", source.method)
        member("state", source.state.rawValue)
        member("pass", source.pass)
        member("restarts", source.restarts)
        member("listed", source.listed)
        member("done", source.counts.done)
        member("refused", source.counts.refused)
        member("failed", source.counts.dead)
        member("open", source.counts.open)
        member("failing", source.counts.failing)
        member("records", source.counts.records)
        member("bytes", source.counts.bytes)
        if !source.error.isEmpty { member("error", source.error) }
        member("started_at", source.startedAt.rfc3339)
        endObject()
    }
}
