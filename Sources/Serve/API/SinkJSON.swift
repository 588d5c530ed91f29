import Events
import Ledger

extension JSONWriter {
    /// A sink as `/sinks` and `/sinks/{name}` show it. Its state is the one of the worker that is worst off; secrets are not shown.
    mutating func value(_ view: SinkView) {
        let summary = SinkSummary(view)
        beginObject()
        member("name", view.sink.name.description)
        member("state", summary.state)
        if let since = summary.since { member("since", since.rfc3339) }
        member("desired", view.sink.state.rawValue)
        member("origin", view.sink.origin.rawValue)
        member("generation", view.sink.generation)
        member("lag_ms", view.progress.lagMs)
        member("backlog", view.progress.backlog)
        member("pending_runs", view.progress.pendingRuns)
        member("halted_runs", view.progress.haltedRuns)
        if let run = view.progress.haltedRun { member("halted_run", run) }
        if let reason = view.progress.haltedReason { member("halted_reason", reason) }
        member("dead_letters", view.progress.letters)
        member("events_per_second", Int64(summary.perSecond.rounded()))
        if let error = summary.error { member("last_error", error) }
        if let time = summary.errorAt { member("last_error_at", time.rfc3339) }
        if let time = summary.retryAt { member("next_retry_at", time.rfc3339) }
        key("consumers")
        beginArray()
        for consumer in view.consumers { value(consumer) }
        endArray()
        key("settings")
        value(view.sink.settings.shown)
        endObject()
    }

    private mutating func value(_ consumer: SinkConsumer) {
        let report = consumer.report
        beginObject()
        member("worker", consumer.worker)
        member("state", report.state)
        member("since", report.since.rfc3339)
        member("heartbeat_at", consumer.heartbeatAt.rfc3339)
        member("breaker", report.breaker)
        member("delivered", report.delivered)
        member("failures", report.failures)
        if let error = report.error { member("error", error) }
        if let time = report.retryAt { member("retry_at", time.rfc3339) }
        endObject()
    }

    private mutating func value(_ settings: SinkSettings) {
        beginObject()
        for setting in settings.all {
            key(dynamic: setting.name)
            if setting.values.count == 1 {
                value(setting.values[0])
            } else {
                beginArray()
                for item in setting.values { value(item) }
                endArray()
            }
        }
        endObject()
    }

    /// A page of `/dlq`.
    mutating func value(_ letters: [DeadLetter], isFull: Bool) {
        beginObject()
        key("letters")
        beginArray()
        for letter in letters { value(letter) }
        endArray()
        if isFull, let last = letters.last { member("before", last.id) }
        endObject()
    }

    mutating func value(_ letter: DeadLetter) {
        beginObject()
        member("id", letter.id)
        member("queue", letter.queue)
        member(letter.queue == "sink" ? "sink" : "did", letter.key)
        if let run = letter.run { member("run", run.description) }
        if let seq = letter.seq { member("seq", seq) }
        member("state", letter.state.rawValue)
        member("attempts", letter.attempts)
        member("error", letter.error)
        member("dead_at", letter.deadAt.rfc3339)
        member("changed_at", letter.changedAt.rfc3339)
        if let payload = letter.payload { member("event", json: Array(payload.utf8)) }
        endObject()
    }
}

/// What all workers' reports of one sink come to, for one line. Nothing is judged across sinks.
struct SinkSummary {
    let state: String
    let since: WallTime?
    let perSecond: Double
    let error: String?
    let errorAt: WallTime?
    /// The next attempt: of an open breaker, or of a run that failed.
    let retryAt: WallTime?

    private static let worstFirst = ["cannot_run", "backing_off", "halted", "starting", "lagging", "healthy", "paused"]

    init(_ view: SinkView) {
        let reports = view.consumers.map(\.report)
        let worst = reports.min { Self.rank($0.state) < Self.rank($1.state) }
        // No worker has said anything yet, or none runs: it does not advance.
        state = worst?.state ?? (view.sink.state == .paused ? "paused" : "starting")
        since = worst?.since ?? view.sink.createdAt
        perSecond = reports.reduce(0) { $0 + $1.perSecond }
        let last = reports.filter { $0.error != nil }.max { ($0.errorAt?.microseconds ?? 0) < ($1.errorAt?.microseconds ?? 0) }
        let unable = reports.first { $0.state == "cannot_run" }
        error = unable?.error ?? view.progress.error ?? last?.error ?? (reports.isEmpty && view.sink.state == .running ? "no worker runs it" : nil)
        errorAt = unable?.errorAt ?? last?.errorAt
        retryAt = reports.compactMap(\.retryAt).min() ?? view.progress.retryAt
    }

    private static func rank(_ state: String) -> Int { worstFirst.firstIndex(of: state) ?? worstFirst.count }
}
