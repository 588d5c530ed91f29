import Ledger

/// Sinks: whether somebody runs them, whether their targets take what is delivered, and what was given up. No sink is judged by another one.
extension DoctorChecks {
    static let sinkPage = "ops/runbooks/failing-sink.md"

    /// - Parameter workers: those that are alive.
    func sinks(_ sinks: [DiagnosedSink], workers: Set<String>) -> [DoctorFinding] {
        sinks.flatMap { sink in
            let running = running(sink, workers)
            // What keeps it back is told once, by what lies deepest.
            return running.isEmpty || running.allSatisfy({ $0.severity == .note }) ? running + delivery(sink) : running
        }
    }

    private func evidence(_ sink: DiagnosedSink) -> [String: String] {
        var evidence = [
            "backlog": "\(sink.progress.backlog)", "lag_ms": "\(sink.progress.lagMs)", "pending_runs": "\(sink.progress.pendingRuns)",
            "attempts": "\(sink.progress.attempts)",
        ]
        evidence["error"] = sink.progress.error ?? sink.consumers.first { $0.error != nil }?.error
        return evidence
    }

    private func fresh(_ sink: DiagnosedSink) -> [DiagnosedSink.Consumer] { sink.consumers.filter { $0.heartbeatAgeMs <= limits.sinkHeartbeatMs } }

    /// Whether somebody runs it.
    private func running(_ sink: DiagnosedSink, _ workers: Set<String>) -> [DoctorFinding] {
        let (entity, fresh) = ("sink \(sink.name)", fresh(sink))
        var evidence = evidence(sink)
        // Of a worker that died its row tells for an hour what it said last; one that lives and says nothing is another matter.
        let silent = sink.consumers.filter { $0.heartbeatAgeMs > limits.sinkHeartbeatMs && workers.contains($0.worker) }
        if let unable = fresh.first(where: { $0.state == "cannot_run" }) {
            let able = fresh.count { $0.state != "cannot_run" }
            evidence["error"] = unable.error
            evidence["worker"] = unable.worker
            evidence["workers_that_run_it"] = "\(able)"
            let finding = DoctorFinding(
                .sinkCannotRun, able == 0 ? .critical : .warning, entity, cause: "a worker cannot run it: \(unable.error ?? "it does not say why")",
                evidence: evidence,
                next: "mend the setting where it was made (\(sink.origin == .api ? "weir sinks add --replace" : "the configuration file")); "
                    + Self.sinkPage)
            return [finding]
        }
        if let worker = silent.first {
            evidence["worker"] = worker.worker
            evidence["heartbeat_age_ms"] = "\(worker.heartbeatAgeMs)"
            evidence["state"] = worker.state
            return [
                DoctorFinding(
                    .sinkSilent, fresh.isEmpty ? .critical : .warning, entity,
                    cause: "a worker that lives has said nothing of it for long", evidence: evidence,
                    next: "look at the log of \(worker.worker), restart it; another worker takes its runs over")
            ]
        }
        // Where no worker lives at all, that is the finding.
        guard fresh.isEmpty, sink.desired == .running, !workers.isEmpty, sink.changedAgeMs > limits.sinkHeartbeatMs else { return [] }
        return [
            DoctorFinding(
                .sinkUnowned, .critical, entity, cause: "it is desired, and no worker runs it", evidence: evidence,
                next: "look at a worker's log for this sink; are all workers of a version that knows it? \(Self.sinkPage)")
        ]
    }

    /// Whether its target takes what is delivered.
    private func delivery(_ sink: DiagnosedSink) -> [DoctorFinding] {
        let (entity, fresh, progress) = ("sink \(sink.name)", fresh(sink), sink.progress)
        var evidence = evidence(sink)
        var found: [DoctorFinding] = []
        if progress.haltedRuns > 0 {
            let halted = ["halted_runs": "\(progress.haltedRuns)", "run": progress.haltedRun ?? "", "reason": progress.haltedReason ?? ""]
            found.append(
                DoctorFinding(
                    .sinkHalted, .critical, entity, cause: "runs of it stopped by themselves and wait for an operator; the others go on",
                    evidence: evidence.merging(halted) { $1 }, next: "weir dlq --sink \(sink.name), then \(Self.sinkPage)"))
        }
        if sink.desired == .paused {
            found.append(
                DoctorFinding(
                    .sinkPaused, .note, entity, cause: "it is paused by order: events wait", evidence: evidence,
                    next: "nothing, or weir sinks resume \(sink.name)"))
        } else if let worst = fresh.filter({ $0.state == "backing_off" }).max(by: { $0.sinceAgeMs < $1.sinceAgeMs }) {
            evidence["worker"] = worst.worker
            evidence["breaker"] = worst.breaker
            evidence["since_age_ms"] = "\(worst.sinceAgeMs)"
            evidence["failures"] = "\(worst.failures)"
            evidence["error"] = worst.error ?? evidence["error"]
            let age = worst.sinceAgeMs
            found.append(
                DoctorFinding(
                    .sinkBackingOff, age >= limits.sinkDownMs ? .critical : age >= limits.sinkBackingOffMs ? .warning : .note, entity,
                    cause: "its target fails and is left alone for a while: \(worst.error ?? progress.error ?? "it does not say why")",
                    evidence: evidence, next: "mend the target; it is tried again by itself. \(Self.sinkPage)"))
        } else if progress.attempts >= limits.sinkAttempts, let error = progress.error {
            found.append(
                DoctorFinding(
                    .sinkFailing, .warning, entity, cause: "a run of it fails again and again, the others go on: \(error)", evidence: evidence,
                    next: "mend the cause; it is tried again by itself. \(Self.sinkPage)"))
        } else if progress.lagMs > limits.outboxLagMs {
            found.append(
                DoctorFinding(
                    .sinkLagging, .warning, entity, cause: "what it has not delivered is old, and nothing fails: its target is slower than the log",
                    evidence: evidence, next: "more workers, a larger batch.events or concurrency, a narrower filter. \(Self.sinkPage)"))
        }
        return found
    }

    func letters(_ letters: [DiagnosedLetters]) -> [DoctorFinding] {
        // Those of halted runs are told with them.
        letters.filter { $0.dead > 0 }.map { letters in
            DoctorFinding(
                .deadLetters, .warning, "sink \(letters.sink)", cause: "events were refused and laid aside: \(letters.dead) wait for a person",
                evidence: [
                    "dead": "\(letters.dead)", "halted": "\(letters.halted)", "oldest_age_ms": "\(letters.oldestAgeMs)",
                    "newest": "\(letters.newestID)", "newest_error": letters.newestError,
                ],
                next: "weir dlq --sink \(letters.sink), then weir dlq requeue or skip; \(Self.sinkPage)")
        }
    }
}
