import Events

/// What the measurement reads out of `/status`.
struct BenchStatus {
    let logged: Int64
    let refused: Int64
    let isStreaming: Bool
    let isOwned: Bool
    /// Nothing is logged that is not in its outlet.
    let isPublished: Bool
    private let watermarks: [Position]

    init(_ tree: JSONTree) {
        let shards = tree["shards"]?.items ?? []
        let upstreams = tree["upstreams"]?.items ?? []
        logged = shards.reduce(0) { $0 + ($1["last_seq"]?.integer ?? 0) }
        refused = (tree["refused"]?.members ?? []).reduce(0) { $0 + ($1.value.integer ?? 0) }
        isStreaming = !upstreams.isEmpty && upstreams.allSatisfy { $0["report"]?["state"]?.text == "streaming" }
        isOwned = !shards.isEmpty && shards.allSatisfy { $0["owner"]?.text != nil }
        isPublished = shards.allSatisfy { ($0["next_seq"]?.integer ?? 1) > ($0["last_seq"]?.integer ?? 0) }
        watermarks = upstreams.compactMap { $0["watermark"]?.text.flatMap { Position($0) } }
    }

    /// Whether every relay is committed up to its last message.
    func reaches(_ lastSeqs: [Int64?]) -> Bool {
        let lasts = lastSeqs.compactMap { $0 }
        return watermarks.count == lasts.count && zip(watermarks.map(\.seq).sorted(), lasts.sorted()).allSatisfy { $0 >= $1 }
    }
}
