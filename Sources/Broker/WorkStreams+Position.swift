public import Events
import RedisClient

/// A shard's committed position, as Redis shows it: never what is read from, only what is shown and trimmed by.
extension WorkStreams {
    /// Makes a shard's stream and its group ready for a reader at `committed`, also after Redis lost them; see ``StreamPosition``.
    ///
    /// - Returns: how many entries of this stream stand at or before `committed`, for ``mirror(_:committed:trimBelow:entriesRead:)``; nil
    ///   where Redis cannot tell without counting.
    @discardableResult
    public func prepare(_ shard: Shard, committed: EntryID) async throws(BrokerError) -> Int64? {
        try await position(of: shard).prepare(committed)
    }

    /// As ``prepare(_:committed:)``, over a connection of the caller's choice.
    func prepare(
        _ shard: Shard, committed: EntryID, send: (RedisBatch) async throws(BrokerError) -> [RedisValue]
    ) async throws(BrokerError) -> Int64? {
        try await position(of: shard).prepare(committed, send: send)
    }

    /// Tells Redis how far the shard is committed: mirrors the group's position and trims up to `trimBelow` (exclusive).
    ///
    /// Follows a commit and is harmless when repeated, late, or from a zombie: ids only ever rise (an older position is ignored). A stream or group
    /// that Redis lost is made again as by ``prepare(_:committed:)``. Trims also where the position could not be set.
    /// - Parameters:
    ///   - trimBelow: at most one above `committed`; anything higher is taken as that, so what is not committed is never trimmed.
    ///   - entriesRead: entries at or before `committed` since the stream was created, where known, for `XINFO GROUPS`' lag.
    public func mirror(_ shard: Shard, committed: EntryID, trimBelow: EntryID?, entriesRead: Int64? = nil) async throws(BrokerError) {
        try await position(of: shard).mirror(committed, trimBelow: trimBelow, entriesRead: entriesRead)
    }

    private func position(of shard: Shard) -> StreamPosition {
        StreamPosition(redis: redis, key: key(shard), affinity: shard)
    }
}
