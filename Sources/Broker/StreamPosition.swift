import Events
import RedisClient

/// A reader's committed position in one stream, as Redis shows it: never what is read from, only what is shown and trimmed by.
struct StreamPosition: Sendable {
    let redis: RedisClient
    let key: String
    /// Which of the client's connections is used.
    let affinity: Int

    /// Makes the stream and its group ready for a reader at `committed`, also after Redis lost them.
    ///
    /// Creates stream and group where they are missing, at the stored position and never at `$`, and raises the stream's last id to `committed`
    /// (`XSETID`), so that no entry can get an id below the reader's position. Writes nothing where all is in place, so it works at `maxmemory`.
    /// - Returns: how many entries of this stream stand at or before `committed`; nil where Redis cannot tell without counting.
    @discardableResult
    func prepare(_ committed: EntryID) async throws(BrokerError) -> Int64? {
        try await prepare(committed) { batch throws(BrokerError) in try await redis.brokered(batch, affinity: affinity) }
    }

    /// As above, over a connection of the caller's choice.
    func prepare(
        _ committed: EntryID, send: (RedisBatch) async throws(BrokerError) -> [RedisValue]
    ) async throws(BrokerError) -> Int64? {
        let found = try await send(StreamState.commands(key: key))
        let state = try brokered(at: "XINFO \(key)") { () throws(RedisError) in try StreamState(found[...]) }
        var batch = RedisBatch()
        if state.group == nil {
            batch.append("XGROUP", "CREATE", .string(key), .string(StreamKeys.workGroup), .string(committed.description), "MKSTREAM")
        }
        let raises = (state.lastID ?? .zero) < committed
        if raises { batch.append("XSETID", .string(key), .string(committed.description)) }
        for reply in try await send(batch) {
            // Another process made the group in between, or appended above the position: both are what is wanted.
            guard let error = reply.serverError, error.kind != .busyGroup, error.kind != .xaddIDTooSmall else { continue }
            throw BrokerError(error, place: "prepare \(key)")
        }
        if state.lastID == nil { return 0 }
        return state.entriesRead(at: committed)
    }

    /// Mirrors the group's position and trims up to `trimBelow` (exclusive, at most one above `committed`).
    func mirror(_ committed: EntryID, trimBelow: EntryID?, entriesRead: Int64?) async throws(BrokerError) {
        let found = try await redis.brokered(StreamState.commands(key: key), affinity: affinity)
        let state = try brokered(at: "XINFO \(key)") { () throws(RedisError) in try StreamState(found[...]) }
        guard let group = state.group, let lastID = state.lastID, lastID >= committed else {
            try await prepare(committed)
            return
        }
        var batch = RedisBatch()
        if group.position < committed {
            var arguments: [RedisArgument] = ["SETID", .string(key), .string(StreamKeys.workGroup), .string(committed.description)]
            // Only Redis 7 counts entries and takes ENTRIESREAD.
            if let added = state.entriesAdded, let read = entriesRead ?? state.entriesRead(at: committed) {
                arguments += ["ENTRIESREAD", .integer(min(max(read, 0), added))]
            }
            batch.append("XGROUP", arguments)
        }
        if let trimBelow {
            batch.append("XTRIM", .string(key), "MINID", .string(min(trimBelow, committed.next).description))
        }
        for reply in try await redis.brokered(batch, affinity: affinity) {
            guard let error = reply.serverError, error.kind != .noSuchKey, error.kind != .noGroup else { continue }
            throw BrokerError(error, place: "mirror \(key)")
        }
    }
}

extension EntryID {
    /// The lowest id above this one.
    var next: EntryID {
        sequence == .max ? EntryID(milliseconds: milliseconds &+ 1, sequence: 0) : EntryID(milliseconds: milliseconds, sequence: sequence + 1)
    }
}
