import UnixSignals

/// Ctrl-C during a measurement: cancels it, so that servers, processes and folders that it made are gone when the command ends.
enum BenchInterrupt {
    /// - Throws: `CancellationError` after SIGINT or SIGTERM, as soon as the body has ended.
    static func cancels<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask {
                for await _ in signals { break }
                throw CancellationError()
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}
