/// A numbered share of all keys, 0 to ``ShardMap/count`` − 1.
public typealias Shard = Int

/// Which shard a key belongs to. Fixed at the first migration, since a key's order is kept by one shard.
public struct ShardMap: Hashable, Sendable {
    /// The number of shards, 1 to 1024.
    public let count: Int

    public static let allowedCounts = 1...1024

    /// `count` is taken into ``allowedCounts``: whoever reads it from a configuration checks it there and says so.
    public init(count: Int) { self.count = min(max(count, Self.allowedCounts.lowerBound), Self.allowedCounts.upperBound) }

    /// The shard of a key: FNV-1a over its UTF-8, folded with the finaliser of MurmurHash3, modulo the count.
    ///
    /// Stable across processes, machines and versions; never replace it by `Hasher`, which is seeded anew in each process.
    public func shard(of key: some Sequence<UInt8>) -> Shard {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key {
            hash ^= UInt64(byte)
            hash &*= 0x0000_0100_0000_01b3
        }
        hash ^= hash >> 33
        hash &*= 0xff51_afd7_ed55_8ccd
        hash ^= hash >> 33
        return Int(hash % UInt64(count))
    }

    public func shard(of key: String) -> Shard { shard(of: key.utf8) }

    /// The shard of a label: of the DID in its subject; where the subject has none, of the upstream that brought it. Whoever hands a message to
    /// shards and whoever takes a shard's labels out of it must agree on this.
    public func shard(ofSubject did: String?, from host: String) -> Shard { shard(of: did ?? host) }
}

/// The names of every Redis key that Weir writes. Each is `<prefix><name>`, the prefix is empty unless configured.
///
/// The braces are Redis Cluster hash tags: all keys of one shard (or of one run) share a slot.
public struct StreamKeys: Hashable, Sendable {
    public var prefix: String

    public init(prefix: String = "") { self.prefix = prefix }

    /// The stream that firehose ingesters write and the owner of the shard reads.
    public func firehoseLive(_ shard: Shard) -> String { "\(prefix)firehose_live:{\(shard)}" }
    /// The stream that fetchers write repositories' snapshots to, and the owner of the shard reads.
    public func firehoseBackfill(_ shard: Shard) -> String { "\(prefix)firehose_backfill:{\(shard)}" }
    /// The queue of repositories that are to be fetched: a hint, the rows in Postgres are the truth.
    public var repoBackfill: String { "\(prefix)repo_backfill" }
    /// The stream that labelers' ingesters write and the owner of the shard reads.
    public func labelLive(_ shard: Shard) -> String { "\(prefix)label_live:{\(shard)}" }
    /// The work stream of a topic.
    public func work(_ topic: WorkTopic, _ shard: Shard) -> String {
        switch topic {
        case .firehose: firehoseLive(shard)
        case .labels: labelLive(shard)
        }
    }
    /// The outlet stream of a run; the id of an entry is `<seq>-0`.
    public func outlet(run: RunID) -> String { "\(prefix)run:{\(run)}" }
    /// A hint (never the truth) of the last barrier that all shards acknowledged, as `session/epoch:seq`. One host may be a relay and a labeler, with
    /// numberings of their own.
    public func cursorHint(host: String, topic: WorkTopic = .firehose) -> String {
        switch topic {
        case .firehose: "\(prefix)cursor:{\(host)}"
        case .labels: "\(prefix)label_cursor:{\(host)}"
        }
    }

    /// The consumer group that carries the committed position of a work stream, for `XINFO GROUPS` and autoscalers.
    public static let workGroup = "weir"
    /// The consumer group of ``repoBackfill``.
    public static let fetcherGroup = "fetchers"
}
