import Events

/// What a measurement reads out of `/status`.
struct BenchStatus: Sendable {
    struct Shard: Sendable {
        var number: Int64
        var owner: String?
        var lastSeq: Int64
    }

    struct Upstream: Sendable {
        var owner: String?
        var session: Int64?
        var isStreaming: Bool
        var watermark: Position?
    }

    let shards: [Shard]
    let upstreams: [Upstream]
    let refused: Int64
    /// Entries in the work streams.
    let backlog: Int64
    /// Nothing is logged that is not in its outlet.
    let isPublished: Bool

    init(_ tree: JSONTree) {
        let shards = tree["shards"]?.items ?? []
        self.shards = shards.map {
            let isHeld = ($0["lease_ms_left"]?.integer ?? 0) > 0
            return Shard(number: $0["shard"]?.integer ?? -1, owner: isHeld ? $0["owner"]?.text : nil, lastSeq: $0["last_seq"]?.integer ?? 0)
        }
        upstreams = (tree["upstreams"]?.items ?? []).map {
            Upstream(
                owner: $0["owner"]?.text, session: $0["session"]?.integer, isStreaming: $0["report"]?["state"]?.text == "streaming",
                watermark: $0["watermark"]?.text.flatMap { Position($0) })
        }
        refused = (tree["refused"]?.members ?? []).reduce(0) { $0 + ($1.value.integer ?? 0) }
        backlog = tree["broker"]?["entries"]?.integer ?? 0
        isPublished = shards.allSatisfy { ($0["next_seq"]?.integer ?? 1) > ($0["last_seq"]?.integer ?? 0) }
    }

    var logged: Int64 { shards.reduce(0) { $0 + $1.lastSeq } }
    var isStreaming: Bool { !upstreams.isEmpty && upstreams.allSatisfy(\.isStreaming) }
    var isOwned: Bool { !shards.isEmpty && shards.allSatisfy { $0.owner != nil } }
    var shardOwners: Set<String> { Set(shards.compactMap(\.owner)) }

    /// Whether the only relay is committed up to its last message.
    func reaches(_ lastSeq: Int64) -> Bool { upstreams.count == 1 && (upstreams[0].watermark?.seq ?? 0) >= lastSeq }
}
