public import Events
internal import PostgresClient

/// The registry of sinks: what is desired. Workers look at it and run what it says.
extension Ledger {
    /// In order of name. What a build of another version stored and this one cannot read is left out, and told by `unreadable`.
    public func sinks(unreadable: (String, SinkProblem) -> Void = { _, _ in }) async throws(LedgerError) -> [RegisteredSink] {
        try await selectSinks(nil, unreadable)
    }

    public func sink(_ name: SinkName) async throws(LedgerError) -> RegisteredSink? { try await selectSinks(name) { _, _ in }.first }

    private func selectSinks(_ name: SinkName?, _ unreadable: (String, SinkProblem) -> Void) async throws(LedgerError) -> [RegisteredSink] {
        try await mapped("sinks") {
            var sinks: [RegisteredSink] = []
            for row in try await pool.query(SinkSQL.selectSinks, [.text(name?.description)]) {
                let text: String = try row.value("name")
                do {
                    guard let name = SinkName(text) else { throw SinkProblem("name", given: text, allowed: SinkName.allowed) }
                    sinks.append(try Self.sink(name, row))
                } catch let problem as SinkProblem {
                    unreadable(text, problem)
                }
            }
            return sinks
        }
    }

    private static func sink(_ name: SinkName, _ row: PostgresRow) throws -> RegisteredSink {
        let names: [String?] = try row.array("setting_names")
        let values: [String?] = try row.array("setting_values")
        var settings: [SinkSettings.Setting] = []
        for case (let name?, let value?) in zip(names, values) {
            if settings.last?.name == name, let last = settings.indices.last {
                settings[last].values.append(value)
            } else {
                settings.append(SinkSettings.Setting(name, [value]))
            }
        }
        return RegisteredSink(
            name: name, settings: try SinkSettings(settings), state: try row.known("state"), origin: try row.known("origin"),
            generation: try row.value("generation"), createdAt: try row.time("created_at"), hasRequeued: try row.value("requeued"))
    }

    /// Makes a sink, or changes what it is; then every run that it takes gets its cursor (``matchRuns()``).
    ///
    /// `start` counts when it is made only. After a change of which runs it takes, cursors of the others are gone.
    /// - Parameter onlyNew: one that is there stays as it is.
    public func storeSink(
        _ definition: SinkDefinition, origin: RegisteredSink.Origin, onlyNew: Bool = false
    ) async throws(LedgerError) -> SinkStored {
        let outcome = try await mapped("store sink \(definition.name)") {
            let pairs = definition.settings.all.flatMap { setting in setting.values.map { (setting.name, $0) } }
            let start: Int64? = if case .seq(let seq) = definition.start { seq } else { nil }
            return try await pool.transaction { connection in
                let rows = try await connection.query(
                    SinkSQL.storeSink,
                    [
                        .text(definition.name.description), .texts(pairs.map(\.0)), .texts(pairs.map(\.1)), .texts(definition.runs.kinds),
                        .text(definition.runs.prefix), .int64(start), .text(origin.rawValue), .bool(onlyNew),
                    ])
                guard let generation: Int64 = try rows.first?.value("generation") else { return onlyNew ? SinkStored.taken : .same }
                if generation > 1 { _ = try await connection.query(SinkSQL.dropUnselectedRuns, [.text(definition.name.description)]) }
                try await connection.afterCommit(PostgresStatement(SinkSQL.wakeSinks))
                return generation > 1 ? .changed : .made
            }
        }
        if outcome == .made || outcome == .changed { _ = try await matchRuns() }
        return outcome
    }

    /// Removes a sink with its cursors, letters and consumers; false where there is none. Whoever delivers at this moment cannot mark any more.
    public func removeSink(_ name: SinkName) async throws(LedgerError) -> Bool {
        try await mapped("remove sink \(name)") {
            try await pool.transaction { connection in
                guard try await !connection.query(SinkSQL.removeSink, [.text(name.description)]).isEmpty else { return false }
                _ = try await connection.query(SinkSQL.removeSinkCursors, [.text(name.description)])
                try await connection.afterCommit(PostgresStatement(SinkSQL.wakeSinks))
                return true
            }
        }
    }

    /// Sinks that the configuration had, and that are not among `names`.
    public func configuredSinks(but names: [SinkName]) async throws(LedgerError) -> [SinkName] {
        try await mapped("configured sinks") {
            let rows = try await pool.query(SinkSQL.configuredSinks, [.texts(names.map(\.description))])
            return try rows.compactMap { SinkName(try $0.value("name", as: String.self)) }
        }
    }

    /// Gives every sink its cursor in every run that it takes, where one is lacking: after a sink was made, and again and again, since a run and a sink
    /// that are made at the same moment do not see each other. Pages of a few thousand runs, each in a transaction of its own.
    /// - Returns: how many were made.
    public func matchRuns(page: Int = 5000) async throws(LedgerError) -> Int64 {
        var (after, made) = (Int32(-1), Int64(0))
        while true {
            let next: Int32? = try await mapped("match runs with sinks") {
                guard let row = try await pool.query(SinkSQL.matchRuns, [.int32(after), .int64(Int64(page))]).first else { return nil }
                made += try row.value("made")
                return try row.optional("last_no", as: Int32.self)
            }
            guard let next else { return made }
            after = next
        }
    }
}
