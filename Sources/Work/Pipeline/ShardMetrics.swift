internal import CoreMetrics
internal import Events
internal import Ledger
internal import Metrics

/// What a shard's commits count. The labels are bounded: kinds, the refusals' reasons, shards.
struct ShardMetrics {
    struct Committed {
        var batch: ShardBatch
        var result: ShardCommit
        var duplicates: Int
        var held: Int
    }

    private let drops = Counter(label: "weir_entries_dropped_total")
    private let rewinds = Counter(label: "weir_rewinds_asked_total")
    private let inserted = Counter(label: "weir_events_inserted_total")
    private let entriesTaken = Counter(label: "weir_entries_taken_total")
    private let repeats = Counter(label: "weir_duplicates_total")
    private let batches = Counter(label: "weir_batches_total")
    private let lag = Recorder(label: "weir_log_lag_ms", aggregate: true)
    private let heldNow: Gauge
    private let totals: WorkTotals

    init(shard: Shard, log: LiveLog = .firehose, totals: WorkTotals) {
        self.totals = totals
        heldNow = Gauge(label: log == .firehose ? "weir_held_messages" : "weir_held_labels", dimensions: [("shard", "\(shard)")])
    }

    private let supersededHeld = Counter(label: "weir_held_superseded_total")
    private let snapshotEntries = Counter(label: "weir_snapshot_entries_total")
    private let snapshotsApplied = Counter(label: "weir_snapshots_applied_total")

    func superseded(_ count: Int) { if count > 0 { supersededHeld.increment(by: count) } }

    func snapshots(entries: Int, applied: Int) {
        snapshotEntries.increment(by: entries)
        snapshotsApplied.increment(by: applied)
    }

    func dropped() { drops.increment() }

    func rewindAsked() { rewinds.increment() }

    /// - Parameter newest: the id of the batch's last entry, whose time is when Redis took it.
    func committed(_ done: Committed, entries: Int, newest: EntryID?) {
        batches.increment()
        inserted.increment(by: done.batch.events.count)
        entriesTaken.increment(by: entries)
        repeats.increment(by: done.duplicates)
        heldNow.record(done.held)
        for (reason, refused) in Dictionary(grouping: done.batch.refused, by: \.reason) {
            Counter(label: "weir_refused_total", dimensions: [("reason", reason)]).increment(by: refused.count)
        }
        var lagMs: Int64 = 0
        if let newest, !done.batch.events.isEmpty {
            lagMs = max(0, done.result.loggedAt.microseconds / 1000 - Int64(clamping: newest.milliseconds))
            lag.record(lagMs)
        }
        totals.add(
            events: done.batch.events.count, refused: done.batch.refused.count, held: done.batch.held.count, duplicates: done.duplicates,
            lagMs: lagMs)
    }
}
