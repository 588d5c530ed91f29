/// How many entries to ask for, so that a reply stays near a number of bytes whatever the entries' size: `XREAD` bounds by count only.
///
/// Follows growth at once and shrinks slowly, so a burst of large frames is paid for once. A reply may exceed the target by what the
/// entries grew since the last one; with the upstream's own limit on a frame that is bounded too.
public struct AdaptiveCount: Hashable, Sendable {
    public let targetBytes: Int
    public let maxCount: Int
    private var entryBytes: Int

    /// - Parameter expectedEntryBytes: what to assume before the first reply.
    public init(targetBytes: Int = 4 << 20, maxCount: Int = 1_000, expectedEntryBytes: Int = 8 << 10) {
        self.targetBytes = max(1, targetBytes)
        self.maxCount = max(1, maxCount)
        entryBytes = max(1, expectedEntryBytes)
    }

    /// 1 to ``maxCount``.
    public var count: Int { count(within: targetBytes) }

    /// How many are likely to fit into `bytes`, 1 to ``maxCount``.
    public func count(within bytes: Int) -> Int { min(maxCount, max(1, bytes / entryBytes)) }

    /// What ``count`` entries are likely to have.
    public var expectedBytes: Int { count * entryBytes }

    /// A reply held `entries` with `bytes` in all.
    public mutating func read(entries: Int, bytes: Int) {
        guard entries > 0 else { return }
        let mean = max(1, bytes / entries)
        entryBytes = mean >= entryBytes ? mean : entryBytes - (entryBytes - mean + 7) / 8
    }
}
