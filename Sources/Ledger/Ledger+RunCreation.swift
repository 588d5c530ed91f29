public import Events
internal import PostgresClient

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension Ledger {
    /// Creates a run of an application, in one transaction; false beside it where a creation with this idempotency key had made it before.
    ///
    /// Throws `refused`: `exists` where there is a run of that id, `differs` where the idempotency key was used for another kind, metadata or id.
    public func createRun(_ creation: RunCreation) async throws(LedgerError) -> (run: RunSummary, isNew: Bool) {
        let id = creation.id ?? Self.generatedID(creation.generatedPrefix)
        let place = "create run \(id?.description ?? creation.generatedPrefix)"
        let (made, isNew) = try await mapped(place) {
            guard let id else { throw LedgerError(code: .other, message: "no id can begin with \"\(creation.generatedPrefix)\"", place: place) }
            return try await pool.transaction { connection in
                if let found = try await idempotent(creation, on: connection, place) { return (found, false) }
                let rows = try await connection.query(RunSQL.createRun, [.text(id.description), .text(creation.kind), .texts(creation.sinks)])
                guard let number = try rows.first?.value("no", as: Int32.self) else {
                    throw LedgerError(code: .refused, message: "there is such a run already", place: place, refusal: .exists)
                }
                try await connection.beforeCommit(
                    PostgresStatement(
                        ApplicationSQL.insertRunDetails,
                        [
                            .int32(number), .text(creation.owner), .text(creation.idempotencyKey.isEmpty ? nil : creation.idempotencyKey),
                            .json(String(decoding: creation.metadata, as: UTF8.self)),
                        ]))
                return (id, true)
            }
        }
        guard let run = try await run(made) else {
            throw LedgerError(code: .corrupt, message: "the run that was made is not there", place: place)
        }
        return (run, isNew)
    }

    /// The run that a creation with this idempotency key made; nil where none did, and none can until the end of the transaction.
    private func idempotent(_ creation: RunCreation, on connection: PostgresConnection, _ place: String) async throws -> RunID? {
        guard !creation.idempotencyKey.isEmpty else { return nil }
        let (owner, key) = (PostgresParameter.text(creation.owner), PostgresParameter.text(creation.idempotencyKey))
        let answers = try await connection.pipeline([
            PostgresStatement(ApplicationSQL.lockIdempotency, [owner, key]),
            PostgresStatement(
                ApplicationSQL.selectIdempotent,
                [
                    owner, key, .text(creation.id?.description), .text(creation.kind), .json(String(decoding: creation.metadata, as: UTF8.self)),
                ]),
        ])
        guard let row = answers[1].first else { return nil }
        let found = try row.run("id")
        guard try row.value("is_same") else {
            throw LedgerError(code: .refused, message: "the idempotency key made \(found), of another shape", place: place, refusal: .differs(found))
        }
        return found
    }

    /// What was said of those of `ids` that applications created or ended.
    public func details(of ids: [RunID]) async throws(LedgerError) -> [RunID: RunDetails] {
        guard !ids.isEmpty else { return [:] }
        return try await mapped("details of runs") {
            var found: [RunID: RunDetails] = [:]
            for row in try await pool.query(ApplicationSQL.runDetails, [.texts(ids.map(\.description))]) {
                found[try row.run("id")] = RunDetails(
                    owner: try row.value("owner"), metadata: Array(try row.value("metadata", as: String.self).utf8),
                    endReason: try row.optional("end_reason"), endedBy: try row.optional("ended_by"))
            }
            return found
        }
    }

    /// A UUID of version 7 (RFC 9562 §5.7) behind the prefix: later ones sort behind earlier ones. Nil where the prefix leaves no room or is no part of an id.
    private static func generatedID(_ prefix: String) -> RunID? {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let milliseconds = UInt64(max(0, now.tv_sec)) * 1000 + UInt64(max(0, now.tv_nsec)) / 1_000_000
        let high = milliseconds << 16 | 0x7000 | UInt64.random(in: 0...0x0FFF)
        let low = UInt64.random(in: 0 ... .max) >> 2 | 1 << 63
        let digits = hexadecimal(high) + hexadecimal(low)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append("-") }
            text.append(digit)
        }
        return RunID(prefix + text)
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
