public import Events
internal import PostgresClient

/// What workers say of the sinks that they run, and how far sinks are.
extension Ledger {
    /// How old a heartbeat may be before its worker is taken for gone.
    public static let consumerLifetime: Duration = .seconds(15)

    /// Writes a worker's rows for sinks before it takes their first batch.
    public func registerConsumers(_ sinks: [RegisteredSink], worker: WorkerID) async throws(LedgerError) {
        try await mapped("register sink consumers") {
            _ = try await pool.query(
                SinkSQL.registerConsumers,
                [.text(worker.description), .texts(sinks.map(\.name.description)), .int64s(sinks.map(\.generation))])
        }
    }

    /// Heartbeats of all sinks that a worker runs; its rows of others are deleted.
    public func reportConsumers(_ reports: [SinkConsumerReport], worker: WorkerID) async throws(LedgerError) {
        try await mapped("report sink consumers") {
            let names = PostgresParameter.texts(reports.map(\.sink.description))
            func times(_ times: [WallTime?]) -> PostgresParameter { .timestamps(times.map { $0.map { PostgresTimestamp($0) } }) }
            _ = try await pool.pipeline([
                PostgresStatement(
                    SinkSQL.reportConsumers,
                    [
                        .text(worker.description), names, .int64s(reports.map(\.generation)), .texts(reports.map(\.state)),
                        times(reports.map(\.since)), .texts(reports.map(\.breaker)), .int64s(reports.map(\.delivered)),
                        .array(reports.map { Optional($0.perSecond) }), .int64s(reports.map(\.failures)),
                        .texts(reports.map { $0.error?.storable }), times(reports.map(\.errorAt)), times(reports.map(\.retryAt)),
                    ]),
                PostgresStatement(SinkSQL.leaveConsumers, [.text(worker.description), names]),
            ])
        }
    }

    /// How far sinks are; every name has its entry.
    public func sinkProgress(_ names: [SinkName]) async throws(LedgerError) -> [SinkName: SinkProgress] {
        guard !names.isEmpty else { return [:] }
        return try await mapped("progress of sinks") {
            let parameter = PostgresParameter.texts(names.map(\.description))
            let rows = try await pool.pipeline([
                PostgresStatement(SinkSQL.sinkProgress, [parameter]), PostgresStatement(SinkSQL.countLetters, [parameter]),
            ])
            var all: [SinkName: SinkProgress] = [:]
            for row in rows[0] {
                guard let name = SinkName(try row.value("name", as: String.self)) else { continue }
                all[name] = SinkProgress(
                    pendingRuns: try row.value("pending"), backlog: try row.value("backlog"), lagMs: try row.value("lag_ms"),
                    retryAt: try row.optionalTime("retry_at"), attempts: try row.value("attempts"), error: try row.optional("error"),
                    haltedRuns: try row.value("halted"), haltedRun: try row.optional("halted_run"), haltedReason: try row.optional("reason"))
            }
            for row in rows[1] {
                if let name = SinkName(try row.value("key", as: String.self)) { all[name]?.letters = try row.value("letters") }
            }
            return all
        }
    }

    /// Everything that is known of sinks, in order of name. One that no worker runs has no consumers, and is there all the same.
    /// - Parameter name: nil: all.
    public func sinkViews(_ name: SinkName? = nil) async throws(LedgerError) -> [SinkView] {
        var sinks = try await sinks()
        if let name { sinks.removeAll { $0.name != name } }
        let names = sinks.map(\.name)
        let progress = try await sinkProgress(names)
        let consumers: [(SinkName, SinkConsumer)] = try await mapped("sink consumers") {
            let rows = try await pool.query(
                SinkSQL.selectConsumers, [.texts(names.map(\.description)), .int64(Self.consumerLifetime.milliseconds)])
            return try rows.compactMap { try Self.consumer($0) }
        }
        return sinks.map { sink in
            SinkView(
                sink: sink, progress: progress[sink.name] ?? SinkProgress(),
                consumers: consumers.filter { $0.0 == sink.name }.map(\.1))
        }
    }

    private static func consumer(_ row: PostgresRow) throws -> (SinkName, SinkConsumer)? {
        guard let sink = SinkName(try row.value("sink", as: String.self)) else { return nil }
        let report = SinkConsumerReport(
            sink: sink, generation: try row.value("generation"), state: try row.value("state"), since: try row.time("since"),
            breaker: try row.value("breaker"), delivered: try row.value("delivered"), perSecond: try row.value("per_second"),
            failures: try row.value("failures"), error: try row.optional("error"), errorAt: try row.optionalTime("error_at"),
            retryAt: try row.optionalTime("retry_at"))
        return (sink, SinkConsumer(worker: try row.value("worker"), report: report, heartbeatAt: try row.time("heartbeat_at")))
    }
}
