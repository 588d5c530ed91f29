public import Events

/// The committed watermarks of one upstream in all shards; their minimum is the only cursor that is safe.
public struct WatermarkSet: Hashable, Sendable {
    /// From where the upstream's first session started: what a shard without a watermark counts as.
    public let baseline: Position
    public private(set) var watermarks: [Position?]

    public init(baseline: Position, shards: Int) {
        self.baseline = baseline
        watermarks = Array(repeating: nil, count: max(1, shards))
    }

    /// Raises a shard's watermark; an older one changes nothing.
    public mutating func raise(_ shard: Shard, to position: Position) {
        guard watermarks.indices.contains(shard) else { return }
        watermarks[shard] = max(watermarks[shard] ?? position, position)
    }

    /// Everything of the upstream up to here is resolved, in every shard.
    public var safeCursor: Position { watermarks.lazy.map { $0 ?? baseline }.min() ?? baseline }

    /// The shard that holds the cursor back.
    public var slowest: Shard? { watermarks.indices.min { (watermarks[$0] ?? baseline) < (watermarks[$1] ?? baseline) } }
}
