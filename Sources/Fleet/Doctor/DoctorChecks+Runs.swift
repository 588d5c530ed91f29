import Broker
import Events
import Ledger

/// Runs, their outbox, and the database under them.
extension DoctorChecks {
    func outbox(_ rows: [Diagnosis.Outbox]) -> [DoctorFinding] { rows.flatMap(outbox) }

    private func outbox(_ row: Diagnosis.Outbox) -> [DoctorFinding] {
        let entity = "run \(row.run), sink \(row.sink)"
        var evidence = ["next_seq": "\(row.nextSeq)", "last_seq": "\(row.tailSeq)", "waiting": "\(row.waiting)", "attempts": "\(row.attempts)"]
        evidence["owner"] = row.owner
        evidence["error"] = row.error
        evidence["lease_ms_left"] = row.leaseMsLeft.map(String.init)
        evidence["retry_in_ms"] = row.retryInMs.map(String.init)
        evidence["published_age_ms"] = row.publishedAgeMs.map(String.init)
        if let reason = row.haltedReason {
            evidence["reason"] = reason
            return [
                DoctorFinding(
                    .outboxHalted, .critical, entity, cause: "delivery stopped by itself and waits for an operator", evidence: evidence,
                    next: "weir doctor \(row.run), then ops/runbooks/stuck-run.md; once mended: weir release \(row.run) --sink \(row.sink)")
            ]
        }
        guard row.waiting > 0 else {
            return row.nextSeq > row.tailSeq + 1
                ? [
                    DoctorFinding(
                        .cursorAhead, .critical, entity, cause: "the cursor is beyond the run's last event", evidence: evidence,
                        next: "was Postgres restored from a copy? weir replay \(row.run) --from … delivers again what sinks lack")
                ] : []
        }
        // A lease that ran out with its row still marked: its holder died or sleeps. Others take it at their next look.
        if row.owner != nil, let left = row.leaseMsLeft, left < -limits.stalledAfterMs {
            return [
                DoctorFinding(
                    .publisherStuck, .critical, entity, cause: "its publisher's lease ran out long ago, and no other takes it", evidence: evidence,
                    next: "is a worker running? weir release \(row.run) --sink \(row.sink)")
            ]
        }
        if row.attempts > 0, let error = row.error {
            return [
                DoctorFinding(
                    .outboxFailing, row.attempts >= 5 ? .critical : .warning, entity, cause: error, evidence: evidence,
                    next: "mend the cause; it is tried again by itself. At once: weir release \(row.run) --sink \(row.sink)")
            ]
        }
        let ageMs = row.publishedAgeMs ?? row.eventAgeMs ?? 0
        guard row.waiting > limits.outboxWaiting, ageMs > limits.outboxLagMs else { return [] }
        return [
            DoctorFinding(
                .outboxLag, .warning, entity, cause: "\(row.waiting) events wait, none was published for a while", evidence: evidence,
                next: "ops/runbooks/outbox-lag.md")
        ]
    }

    func stalled(_ runs: [Diagnosis.Stalled]) -> [DoctorFinding] {
        runs.map { run in
            let evidence = ["kind": run.kind, "last_seq": "\(run.lastSeq)", "age_ms": "\(run.ageMs)"]
            guard run.lastSeq > 0 else {
                return DoctorFinding(
                    .runNeverStarted, .warning, "run \(run.run)", cause: "it was made and never got an event", evidence: evidence,
                    next: "ask its application; where that is gone, cancel the run (ops/runbooks/stuck-run.md)")
            }
            return DoctorFinding(
                .runStalled, .warning, "run \(run.run)", cause: "it was started, has not ended, and has had no event for long", evidence: evidence,
                next: "ops/runbooks/stuck-run.md")
        }
    }

    /// The run that was asked for.
    ///
    /// - Parameter outletTop: the newest id of its outlet.
    func run(_ id: RunID, _ run: Diagnosis.Run?, outletTop: EntryID?) -> [DoctorFinding] {
        let entity = "run \(id)"
        guard let run else {
            return [DoctorFinding(.runNotFound, .critical, entity, cause: "there is no run of this id", next: "GET /runs, or weir status")]
        }
        var found = outbox(run.outbox)
        let evidence = [
            "state": run.state.rawValue, "last_seq": "\(run.lastSeq)", "first_seq": run.firstSeq.map(String.init) ?? "none",
            "max_seq": run.maxSeq.map(String.init) ?? "none",
        ]
        for hole in run.holes {
            let isRepeat = hole.next == hole.seq
            found.append(
                DoctorFinding(
                    .runHoles, .critical, entity,
                    cause: isRepeat ? "seq \(hole.seq) stands twice in the log" : "the log lacks \(hole.seq + 1) to \(hole.next - 1)",
                    evidence: evidence.merging(["last_good_seq": "\(hole.seq)", "next_seq": "\(hole.next)"]) { $1 },
                    next:
                        "keep the database as it is, report it; clients are told of the gap. What is behind it: weir replay \(id) --from \(hole.next)"
                ))
        }
        if run.lastSeq > 0, !run.hasKeptEnd, run.maxSeq != run.lastSeq {
            found.append(
                DoctorFinding(
                    .runTail, run.maxSeq == nil ? .note : .critical, entity,
                    cause: run.maxSeq == nil ? "all of its events are gone: retention dropped their days" : "its last events are not in the log",
                    evidence: evidence,
                    next: run.maxSeq == nil ? "nothing" : "keep the database as it is, report it"))
        }
        if let first = run.firstSeq, first > 1 {
            found.append(
                DoctorFinding(
                    .runBeginningGone, .note, entity, cause: "its first events are gone: retention dropped their days", evidence: evidence,
                    next: "nothing: clients that ask for them are told of a gap"))
        }
        if let top = outletTop, top > EntryID(milliseconds: UInt64(max(run.lastSeq, 0)), sequence: 0) {
            found.append(
                DoctorFinding(
                    .outletForeign, .warning, entity,
                    cause: "its outlet has entries above the run's last seq: somebody else's, or of a log that was restored",
                    evidence: evidence.merging(["outlet_top": top.description]) { $1 }, next: "ops/runbooks/rebuild-a-stream.md"))
        }
        return found
    }

    func sessions(_ sessions: [Diagnosis.Session]) -> [DoctorFinding] {
        sessions.compactMap { session in
            let evidence = [
                "pid": "\(session.pid)", "application": session.application, "age_ms": "\(session.ageMs)", "query": session.query,
                "blockers": session.blockers.joined(separator: ", "),
            ]
            if session.isIdle {
                guard session.ageMs > limits.idleTransactionMs else { return nil }
                return DoctorFinding(
                    .idleTransaction, .warning, "session \(session.pid)", cause: "it holds a transaction open and does nothing", evidence: evidence,
                    next: "where it is no process of Weir that works: psql -c 'SELECT pg_terminate_backend(\(session.pid))'")
            }
            guard session.ageMs > limits.lockWaitMs else { return nil }
            return DoctorFinding(
                .lockWait, .warning, "session \(session.pid)", cause: "it waits for a lock of \(session.blockers.joined(separator: ", "))",
                evidence: evidence, next: "look at what the blocker does; a process that is stopped is taken over after its lease by itself")
        }
    }

    func schema(_ diagnosis: Diagnosis) -> [DoctorFinding] {
        var found = diagnosis.missingIndices.map {
            DoctorFinding(
                .indexMissing, .critical, "index \($0)", cause: "an index that Weir needs is not there",
                next: "the migrations in Sources/Ledger/SQL have its definition: make it with CREATE INDEX CONCURRENTLY")
        }
        found += diagnosis.invalidIndices.map {
            DoctorFinding(
                .indexInvalid, .critical, "index \($0)", cause: "an index that was not built to its end is not used",
                next: "psql -c 'REINDEX INDEX CONCURRENTLY \($0)'")
        }
        if !diagnosis.missingDays.isEmpty {
            found.append(
                DoctorFinding(
                    .partitionMissing, .warning, "log",
                    cause: "days ahead have no partition: what comes then goes to the default one, and stays there",
                    evidence: ["days": diagnosis.missingDays.joined(separator: ", ")],
                    next: "weir migrate, which makes them too; then look at the workers' log"))
        }
        if diagnosis.hasDefaultRows {
            found.append(
                DoctorFinding(
                    .defaultPartition, .note, "log", cause: "events stand in the default partition: no day is dropped of them",
                    evidence: ["table": "run_events_default"], next: "nothing, unless it grows: a worker makes each day's partition ahead"))
        }
        if let age = diagnosis.retentionAgeMs, age > limits.retentionLateMs {
            found.append(
                DoctorFinding(
                    .retentionLate, .warning, "log", cause: "no worker has looked after the log's days for long",
                    evidence: ["age_ms": "\(age)", "note": diagnosis.retentionNote], next: "is a worker running? its log says why"))
        }
        return found
    }

    func slots(_ slots: [Diagnosis.Slot]) -> [DoctorFinding] {
        slots.compactMap { slot in
            let evidence = ["active": "\(slot.isActive)", "wal_status": slot.walStatus, "kept_bytes": "\(slot.keptBytes)"]
            if ["unreserved", "lost"].contains(slot.walStatus) {
                return DoctorFinding(
                    .slotLosingLog, .critical, "slot \(slot.name)",
                    cause: "Postgres removes, or removed, write-ahead log that the slot's reader has not got",
                    evidence: evidence, next: "ops/runbooks/lost-slot.md")
            }
            guard !slot.isActive, slot.keptBytes > limits.slotKeptBytes else { return nil }
            return DoctorFinding(
                .slotInactive, .warning, "slot \(slot.name)", cause: "nobody reads it, and Postgres keeps its log: the disk fills",
                evidence: evidence,
                next: "start its reader, or ops/runbooks/lost-slot.md")
        }
    }

    func clients(_ clients: [Diagnosis.Flapping]) -> [DoctorFinding] {
        clients.filter { $0.client.opens > limits.flapOpens }.map { flapping in
            DoctorFinding(
                .clientFlaps, .warning, "client \(flapping.client.client)",
                cause:
                    "it comes back to \(flapping.client.topic) more than \(limits.flapOpens) times a minute: it fails, or a proxy cuts it, or stands for many",
                evidence: ["opens": "\(flapping.client.opens)", "age_ms": "\(flapping.ageMs)"], next: "ops/runbooks/flapping-clients.md")
        }
    }
}
