/// Bounds of what a shard takes of its backfill stream at once: small enough that live traffic passes in between.
enum SnapshotLimits {
    static let batchEntries = 64
    /// Bytes of entries, about; a single one may have more.
    static let batchBytes = 512 << 10
    /// Delivered records that are read for one entry; where there are more the entry is taken in steps.
    static let deliveredOfRange = 2_000
    /// Requests that are carried out at once.
    static let requests = 100
}
