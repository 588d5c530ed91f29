internal import ATProto
internal import Broker
internal import Events
internal import Ledger

/// Writes a verified archive as the entries of one attempt, in order of keys, behind the gate.
///
/// A small repository is one entry. A larger one is walked to its end before the first entry is written, so that an archive in which something is missing
/// writes none. What a crash leaves behind is a prefix of an attempt: void once the next one begins.
struct SnapshotWriter: Sendable {
    struct Written: Sendable {
        var records: Int64 = 0
        /// Records that are not in the data model: left out.
        var bad = 0
    }

    /// Of one entry.
    static let recordsMax = 500
    static let bytesMax = 256 << 10

    let streams: SnapshotStreams
    let gate: SnapshotGate
    let tracking: TrackingConfiguration
    let seams: FaultSeams
    let job: ClaimedJob
    let host: String
    let isFork: Bool

    /// - Throws: `SpoolError` where the archive does not hold what its tree says, `BrokerError` where an entry was not taken.
    func write(_ archive: RepositoryArchive) async throws -> Written {
        var entry = SnapshotEntry(
            did: job.did, attempt: job.attempt, n: 0, kind: .open, host: host, rev: archive.commit.rev, data: archive.commit.data.binary,
            isFork: isFork)
        var walk = try await PooledWalk.begin(archive)
        var part = try await next(walk)
        var written = Written(records: Int64(part.records.count), bad: part.bad)
        if part.isLast {
            (entry.kind, entry.records, entry.count) = (.whole, part.records, written.records)
            try await append(entry)
            return written
        }
        try await verifyRest(walk)
        walk = try await PooledWalk.begin(archive)
        try await append(entry)
        written = Written()
        var after = ""
        repeat {
            part = try await next(walk)
            written.records += Int64(part.records.count)
            written.bad += part.bad
            entry.n += 1
            (entry.kind, entry.after, entry.through, entry.records) = (.records, after, part.through, part.records)
            after = part.through
            if !part.through.isEmpty { try await append(entry) } else { entry.n -= 1 }
        } while !part.isLast
        seams.reached(.fetchBeforeClose)
        entry.n += 1
        (entry.kind, entry.after, entry.through, entry.records, entry.count) = (.close, "", "", [], written.records)
        try await append(entry)
        return written
    }

    private struct Part: Sendable {
        var records: [SnapshotRecord] = []
        /// The last key that was seen, of a record that is left out too; empty: none.
        var through = ""
        var bad = 0
        var isLast = false
    }

    private func append(_ entry: SnapshotEntry) async throws {
        await gate.pass()
        try Task.checkCancellation()
        try await streams.append([entry])
    }

    private func next(_ walk: PooledWalk) async throws(SpoolError) -> Part {
        let tracking = tracking
        return try await walk.step { walk throws(FormatError) in
            var part = Part()
            var bytes = 0
            while part.records.count < Self.recordsMax, bytes < Self.bytesMax {
                let isThere = try walk.next { record in
                    part.through = record.path
                    guard tracking.delivers(String(part.through.prefix { $0 != "/" })) else { return }
                    guard let body = try? DAGJSON.json(Array(record.bytes)) else {
                        part.bad += 1
                        return
                    }
                    bytes += body.count + 128
                    part.records.append(SnapshotRecord(path: part.through, cid: record.cid.description, body: body))
                }
                guard isThere else {
                    part.isLast = true
                    break
                }
            }
            return part
        }
    }

    private func verifyRest(_ walk: PooledWalk) async throws(SpoolError) {
        var isThere = true
        while isThere {
            isThere = try await walk.step { walk throws(FormatError) in
                for _ in 0..<4_096 { guard try walk.next({ _ in }) else { return false } }
                return true
            }
        }
    }
}
