public import Events
public import PostgresClient

/// What Postgres means here: the one source of truth. Leases and fences, sessions and watermarks, repositories, runs and their log, outbox.
///
/// Every operation is one transaction (or one statement). Extensions in files of this folder hold them by area.
/// Times are Postgres' own clock; owners judge their trust in a lease by their monotonic clock (`Flow`).
public struct Ledger: Sendable {
    let pool: PostgresPool
    /// Where everything lives; the pool's connections have it as their `search_path`.
    public let schema: String
    /// Of the commit of a shard's batch.
    let seams: FaultSeams

    /// - Parameter pool: its configuration's `searchPath` names `schema`.
    public init(pool: PostgresPool, schema: String = "weir", seams: FaultSeams = .off) {
        self.pool = pool
        self.schema = schema
        self.seams = seams
    }

    /// Runs `body` and turns what it throws into the ledger's error; the one place where that is decided.
    func mapped<Value>(_ place: String, _ body: () async throws -> Value) async throws(LedgerError) -> Value {
        do {
            return try await body()
        } catch let error as LedgerError {
            throw error
        } catch let error as PostgresError {
            throw LedgerError(error, place: place)
        } catch {
            throw LedgerError(code: .other, message: "\(error)", place: place)
        }
    }
}

/// Why the ledger did not do it.
public struct LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The token is not the current one: another process owns it now. Abandon all work on it.
        case fenced
        /// No connection, or it ended; nothing is known to have been committed, see ``mayHaveCommitted``. Retry.
        case unavailable
        /// Deadlock, serialization or lock timeout: retry at once or after a short back-off.
        case contention
        /// The schema is missing or of another version: run `weir migrate`.
        case notMigrated
        /// The run has ended: nothing can be appended.
        case runEnded
        /// What was asked of a run cannot be: ``LedgerError/refusal`` says why. Nothing was written.
        case refused
        /// An impossible state of our own (a gap in seqs, a regressing watermark): stop that shard or run and say so.
        case corrupt
        case other
    }

    public var code: Code
    public var message: String
    /// The operation and entity, as `commit shard 3`.
    public var place: String
    /// The connection ended during COMMIT: it may have been committed.
    public var mayHaveCommitted: Bool
    /// At `refused`, and at `runEnded` where an application asked.
    public var refusal: RunRefusal?

    public init(code: Code, message: String, place: String, mayHaveCommitted: Bool = false, refusal: RunRefusal? = nil) {
        self.code = code
        self.message = message
        self.place = place
        self.mayHaveCommitted = mayHaveCommitted
        self.refusal = refusal
    }

    public var description: String { "\(code.rawValue) at \(place): \(message)" }
}

extension LedgerError {
    static func fenced(_ place: String) -> LedgerError {
        LedgerError(code: .fenced, message: "the token is not the current one: another process owns it", place: place)
    }

    init(_ error: PostgresError, place: String) {
        let code: Code =
            switch error.code {
            case .undefinedTable, .undefinedColumn, .undefinedSchema: .notMigrated
            // Raised by the function require_fence.
            case .other("WR001"): .fenced
            case .serializationFailure, .deadlockDetected, .lockNotAvailable, .stalePlan: .contention
            case .decoding, .checkViolation, .notNullViolation, .foreignKeyViolation: .corrupt
            default: error.isRetryable || error.code == .closed || error.code == .cancelled ? .unavailable : .other
            }
        self.init(code: code, message: error.description, place: place, mayHaveCommitted: error.mayHaveCommitted)
    }
}
