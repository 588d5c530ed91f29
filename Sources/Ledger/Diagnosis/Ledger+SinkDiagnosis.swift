internal import Events
internal import PostgresClient

/// What the doctor judges of sinks.
extension Ledger {
    /// Sinks that are looked at: a fleet has some dozens.
    static let diagnosedSinks: Int64 = 500

    func diagnosedSinks() async throws -> [DiagnosedSink] {
        var sinks: [DiagnosedSink] = []
        for row in try await pool.query(DiagnosisSQL.sinks, [.int64(Self.diagnosedSinks)]) {
            guard let name = SinkName(try row.value("name", as: String.self)) else { continue }
            if sinks.last?.name != name {
                sinks.append(
                    DiagnosedSink(
                        name: name, desired: try row.known("desired"), origin: try row.known("origin"),
                        changedAgeMs: try row.value("changed_age_ms")))
            }
            guard let worker = try row.optional("worker", as: String.self) else { continue }
            sinks[sinks.endIndex - 1].consumers.append(
                DiagnosedSink.Consumer(
                    worker: worker, state: try row.value("state"), breaker: try row.value("breaker"), failures: try row.value("failures"),
                    error: try row.optional("error"), sinceAgeMs: try row.value("since_age_ms"),
                    heartbeatAgeMs: try row.value("heartbeat_age_ms")))
        }
        let progress = try await sinkProgress(sinks.map(\.name))
        for index in sinks.indices { sinks[index].progress = progress[sinks[index].name] ?? SinkProgress() }
        return sinks
    }

    func diagnosedLetters() async throws -> [DiagnosedLetters] {
        try await pool.query(DiagnosisSQL.letters).map { row in
            DiagnosedLetters(
                sink: try row.value("sink"), dead: try row.value("dead"), halted: try row.value("halted"),
                oldestAgeMs: try row.value("oldest_age_ms"), newestID: try row.value("newest_id"), newestError: try row.value("newest_error"))
        }
    }
}
