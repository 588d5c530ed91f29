public import Events
internal import PostgresClient

/// Orders of operators about sinks.
extension Ledger {
    /// False where there is no such sink.
    public func setSink(_ name: SinkName, _ state: RegisteredSink.State) async throws(LedgerError) -> Bool {
        try await changeSink(name) { connection in
            try await !connection.query(SinkSQL.setSinkState, [.text(name.description), .text(state.rawValue)]).isEmpty
        }
    }

    /// Lets halted runs, and those that wait for another attempt, go on where they stand, and closes the breakers; false where there is no such sink.
    /// - Parameter run: nil: all.
    public func resetSink(_ name: SinkName, run: RunID?) async throws(LedgerError) -> Bool {
        try await changeSink(name) { connection in
            guard try await !connection.query(SinkSQL.touchSink, [.text(name.description)]).isEmpty else { return false }
            let parameters: [PostgresParameter] = [.text(name.description), .text(run?.description)]
            _ = try await connection.pipeline([
                PostgresStatement(SinkSQL.resetSink, parameters), PostgresStatement(SinkSQL.closeHaltedLetters, parameters),
            ])
            return true
        }
    }

    /// Sets cursors: what is behind them is delivered (again); `now` leaves out what was not delivered. False where there is no such sink.
    /// - Parameter run: nil: all that it takes.
    public func rewindSink(_ name: SinkName, to start: SinkStart, run: RunID?) async throws(LedgerError) -> Bool {
        try await changeSink(name) { connection in
            guard try await !connection.query(SinkSQL.touchSink, [.text(name.description)]).isEmpty else { return false }
            let seq: Int64? = if case .seq(let seq) = start { seq } else { nil }
            let parameters: [PostgresParameter] = [.text(name.description), .text(run?.description)]
            _ = try await connection.pipeline([
                PostgresStatement(SinkSQL.rewindSink, parameters + [.int64(seq)]), PostgresStatement(SinkSQL.closeHaltedLetters, parameters),
            ])
            return true
        }
    }

    private func changeSink(_ name: SinkName, _ body: @Sendable (PostgresConnection) async throws -> Bool) async throws(LedgerError) -> Bool {
        try await mapped("change sink \(name)") {
            try await pool.transaction { connection in
                guard try await body(connection) else { return false }
                try await connection.afterCommit(PostgresStatement(SinkSQL.wakeSinks))
                return true
            }
        }
    }
}
