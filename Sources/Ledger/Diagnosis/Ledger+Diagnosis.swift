public import Events
internal import PostgresClient

extension Ledger {
    /// Seqs of a run that are looked at for holes.
    public static let diagnosedSeqs: Int64 = 1_000_000

    /// Indices without which Weir is slow or wrong.
    static let indices = [
        "runs_pkey", "runs_id_key", "run_events_pkey", "run_outbox_pkey", "run_outbox_pending", "held_due", "held_by_did", "sessions_of_upstream",
        "subscriptions_pkey", "run_days_pkey", "run_days_by_day", "run_ends_pkey", "backfill_jobs_pkey",
    ]

    /// Looks at everything that the doctor judges; changes nothing.
    ///
    /// - Parameters:
    ///   - run: nil: none in particular.
    ///   - stalledAfter: how long a run may be without a word.
    public func diagnosis(run: RunID?, stalledAfter: Duration) async throws(LedgerError) -> Diagnosis {
        try await mapped("diagnosis") {
            let answers = try await pool.pipeline([
                PostgresStatement(DiagnosisSQL.outbox, [.null, .int64(200)]),
                PostgresStatement(DiagnosisSQL.stalled, [.int64(stalledAfter.milliseconds), .int64(50)]),
                PostgresStatement(DiagnosisSQL.indices, [.texts(Self.indices)]), PostgresStatement(DiagnosisSQL.locks),
                PostgresStatement(DiagnosisSQL.slots), PostgresStatement(DiagnosisSQL.clients), PostgresStatement(DiagnosisSQL.log),
            ])
            var found = Diagnosis()
            found.outbox = try answers[0].map(Self.outbox)
            found.stalled = try answers[1].map { row in
                Diagnosis.Stalled(
                    run: try row.run("id"), kind: try row.value("kind"), lastSeq: try row.value("last_seq"), ageMs: try row.value("age_ms"))
            }
            for row in answers[2] {
                let name: String = try row.value("name")
                if try row.value("is_missing") { found.missingIndices.append(name) } else { found.invalidIndices.append(name) }
            }
            found.sessions = try answers[3].map(Self.session)
            found.slots = try answers[4].map { row in
                Diagnosis.Slot(
                    name: try row.value("name"), isActive: try row.value("active"), walStatus: try row.value("wal_status"),
                    keptBytes: try row.value("kept_bytes"))
            }
            found.flapping = try answers[5].map { row in
                Diagnosis.Flapping(
                    client: FlappingClient(
                        client: try row.value("client"), topic: try row.value("topic"), opens: Int(try row.value("opens", as: Int32.self))),
                    ageMs: try row.value("age_ms"))
            }
            if let row = answers[6].first {
                found.missingDays = try row.array("missing_days", of: String.self).compactMap { $0 }
                found.hasDefaultRows = try row.value("has_default_rows")
                found.retentionAgeMs = try row.optional("retention_age_ms")
                found.retentionNote = try row.value("retention_note")
            }
            found.sinks = try await diagnosedSinks()
            found.letters = try await diagnosedLetters()
            if let run { found.run = try await diagnosed(run) }
            return found
        }
    }

    private func diagnosed(_ run: RunID) async throws -> Diagnosis.Run? {
        let id = PostgresParameter.text(run.description)
        let answers = try await pool.pipeline([
            PostgresStatement(DiagnosisSQL.run, [id]), PostgresStatement(DiagnosisSQL.holes, [id, .int64(Self.diagnosedSeqs)]),
            PostgresStatement(DiagnosisSQL.outbox, [id, .int64(200)]),
        ])
        guard let row = answers[0].first else { return nil }
        return Diagnosis.Run(
            id: run, kind: try row.value("kind"), state: try row.known("state"), lastSeq: try row.value("last_seq"),
            startedAgeMs: try row.value("started_age_ms"), eventAgeMs: try row.optional("event_age_ms"), firstSeq: try row.optional("first_seq"),
            maxSeq: try row.optional("max_seq"), hasKeptEnd: try row.value("has_kept_end"),
            holes: try answers[1].map { Diagnosis.Hole(seq: try $0.value("seq"), next: try $0.value("next")) },
            outbox: try answers[2].map(Self.outbox))
    }

    private static func outbox(_ row: PostgresRow) throws -> Diagnosis.Outbox {
        Diagnosis.Outbox(
            run: try row.run("id"), state: try row.known("state"), sink: try row.value("sink"), nextSeq: try row.value("next_seq"),
            tailSeq: try row.value("tail_seq"), haltedReason: try row.optional("halted_reason"), error: try row.optional("error"),
            attempts: Int(try row.value("attempts", as: Int32.self)), owner: try row.optional("owner"),
            leaseMsLeft: try row.optional("lease_ms_left"), retryInMs: try row.optional("retry_in_ms"),
            publishedAgeMs: try row.optional("published_age_ms"), eventAgeMs: try row.optional("event_age_ms"))
    }

    private static func session(_ row: PostgresRow) throws -> Diagnosis.Session {
        Diagnosis.Session(
            pid: try row.value("pid"), application: try row.value("application"), isIdle: try row.value("is_idle"),
            ageMs: try row.optional("age_ms") ?? 0, query: try row.value("query"),
            blockers: try row.array("blockers", of: String.self).compactMap { $0 })
    }

    /// Lets any publisher take a run's sink again at once, also where it was halted; what it finds wrong halts it again. Returns the next seq and the
    /// last one; nil where there is no such (run, sink).
    public func releaseOutbox(run: RunID, sink: String) async throws(LedgerError) -> (nextSeq: Int64, tailSeq: Int64)? {
        try await mapped("release \(run)") {
            let rows = try await pool.query(DiagnosisSQL.release, [.text(run.description), .text(sink)])
            return try rows.first.map { (try $0.value("next_seq"), try $0.value("tail_seq")) }
        }
    }
}

/// The statements of the doctor: files of the folder `SQL`, embedded.
enum DiagnosisSQL {
    static let outbox = text(PackageResources.diagnose_outbox_sql)
    static let run = text(PackageResources.diagnose_run_sql)
    static let holes = text(PackageResources.diagnose_holes_sql)
    static let indices = text(PackageResources.diagnose_indices_sql)
    static let locks = text(PackageResources.diagnose_locks_sql)
    static let slots = text(PackageResources.diagnose_slots_sql)
    static let log = text(PackageResources.diagnose_log_sql)
    static let clients = text(PackageResources.diagnose_clients_sql)
    static let stalled = text(PackageResources.diagnose_stalled_sql)
    static let sinks = text(PackageResources.diagnose_sinks_sql)
    static let letters = text(PackageResources.diagnose_letters_sql)
    static let release = text(PackageResources.release_outbox_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
