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
    static let recordsMax = 200
    static let bytesMax = 128 << 10

    let streams: SnapshotStreams
    let gate: SnapshotGate
    let tracking: TrackingConfiguration
    let seams: FaultSeams
    let job: ClaimedJob
    let host: String
    let isFork: Bool

    /// - Throws: `SpoolError` where the archive does not hold what its tree says, `BrokerError` where an entry was not taken.
    func write(_ archive: RepositoryArchive) async throws -> Written {
        let walk = try await PooledWalk.begin(archive)
        let first = try await next(walk)
        guard first.isLast else {
            try await verifyRest(walk)
            return try await writeParts(archive)
        }
        var entry = opening(archive)
        (entry.kind, entry.records, entry.count) = (.whole, first.records, Int64(first.records.count))
        try await append(entry)
        return Written(records: entry.count, bad: first.bad)
    }

    private func opening(_ archive: RepositoryArchive) -> SnapshotEntry {
        SnapshotEntry(
            did: job.did, attempt: job.attempt, n: 0, kind: .open, host: host, rev: archive.commit.rev, data: archive.commit.data.binary,
            isFork: isFork)
    }

    private func writeParts(_ archive: RepositoryArchive) async throws -> Written {
        try await append(opening(archive))
        let walk = try await PooledWalk.begin(archive)
        var written = Written()
        var last = opening(archive)
        var isLast = false
        while !isLast { isLast = try await writePart(of: walk, behind: &last, &written) }
        seams.reached(.fetchBeforeClose)
        (last.kind, last.n, last.after, last.through, last.records) = (.close, last.n + 1, "", "", [])
        last.count = written.records
        try await append(last)
        return written
    }

    /// True behind the last one. A function of its own, and never inlined: the compiler (6.3.1) crashes at the loop otherwise.
    @inline(never)
    private func writePart(of walk: PooledWalk, behind last: inout SnapshotEntry, _ written: inout Written) async throws -> Bool {
        let part = try await next(walk)
        written.records += Int64(part.records.count)
        written.bad += part.bad
        if !part.through.isEmpty {
            last = following(last, part)
            try await append(last)
        }
        return part.isLast
    }

    private func following(_ entry: SnapshotEntry, _ part: Part) -> SnapshotEntry {
        var next = entry
        (next.kind, next.n, next.after, next.through, next.records) = (.records, entry.n + 1, entry.through, part.through, part.records)
        return next
    }

    private struct Part: Sendable {
        var records: [SnapshotRecord] = []
        /// The last key that was seen, of a record that is left out too; empty: none.
        var through = ""
        var bad = 0
        var isLast = false
    }

    @inline(never)
    private func append(_ entry: SnapshotEntry) async throws {
        await gate.pass()
        try Task.checkCancellation()
        try await streams.append([entry])
    }

    @inline(never)
    private func next(_ walk: PooledWalk) async throws -> Part {
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

    @inline(never)
    private func verifyRest(_ walk: PooledWalk) async throws {
        var isThere = true
        while isThere {
            isThere = try await walk.step { walk throws(FormatError) in
                for _ in 0..<4_096 { guard try walk.next({ _ in }) else { return false } }
                return true
            }
        }
    }
}
