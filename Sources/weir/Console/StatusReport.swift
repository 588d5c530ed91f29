/// The fleet's status as lines of text.
struct StatusReport {
    private let tree: JSONTree
    private let reasons: [String]
    private let at = ContinuousClock.now

    init(json: String, reasons: [String]) throws {
        guard let tree = JSONTree(Array(json.utf8)) else { throw Failure("the API's status is not JSON") }
        self.tree = tree
        self.reasons = reasons
    }

    private var shards: [JSONTree] { tree["shards"]?.items ?? [] }
    private var upstreams: [JSONTree] { tree["upstreams"]?.items ?? [] }
    private var logged: Int64 { sum("last_seq") }
    private var published: Int64 { shards.reduce(0) { $0 + max(0, ($1["next_seq"]?.integer ?? 1) - 1) } }

    private func sum(_ name: String) -> Int64 { shards.reduce(0) { $0 + ($1[name]?.integer ?? 0) } }

    /// - Parameter before: an earlier look, for rates.
    func lines(before: StatusReport?, all: Bool) -> [String] {
        var lines = [Terminal.bold(reasons.isEmpty ? "ready" : "not ready")]
        lines += reasons.prefix(8).map { "  \($0)" }
        if reasons.count > 8 { lines.append("  and \(reasons.count - 8) more reasons") }
        lines += ["", summary(before)]
        let refused = (tree["refused"]?.members ?? []).compactMap { member in member.value.integer.map { "\(Terminal.safe(member.key)) \($0)" } }
        if !refused.isEmpty { lines.append("refused: \(refused.joined(separator: ", "))") }
        lines += [""] + upstreamTable().lines()
        lines += BackfillReport(tree).lines()
        let shown = all ? shards : shards.filter(isTroubled)
        if !shown.isEmpty { lines += ["", all ? "shards" : "shards in trouble"] + shardTable(shown).lines() }
        return lines
    }

    private func summary(_ before: StatusReport?) -> String {
        let owned = shards.filter { $0["owner"]?.text != nil && ($0["lease_ms_left"]?.integer ?? 0) > 0 }.count
        let owners = Set(shards.compactMap { $0["owner"]?.text }).count
        var parts = ["shards \(owned)/\(shards.count) on \(owners) workers", "log \(logged) events"]
        if let before { parts.append("\(rate(logged - before.logged, since: before)) events/s") }
        parts.append("to publish \(max(0, logged - published))")
        let labels = shards.reduce(0) { $0 + ($1["labels"]?["last_seq"]?.integer ?? 0) }
        if labels > 0 { parts.append("labels \(labels)") }
        if let broker = tree["broker"], let entries = broker["entries"]?.integer {
            parts.append("streams \(entries) entries, \(Self.bytes(broker["bytes"]?.integer ?? 0))")
            parts.append("Redis \(Self.bytes(broker["used_memory_bytes"]?.integer ?? 0))")
        }
        parts.append("held \(sum("held") + shards.reduce(0) { $0 + ($1["labels"]?["held"]?.integer ?? 0) })")
        return parts.joined(separator: " · ")
    }

    private func upstreamTable() -> TextTable {
        var table = TextTable([
            .text("upstream"), .text("state"), .number("session"), .text("read"), .text("committed"), .number("events"),
            .number("reported"), .text("owner"),
        ])
        for upstream in upstreams {
            let report = upstream["report"]
            let name = upstream["name"]?.text ?? ""
            let events = report?["events"]?.integer
            let state = (report?["state"]?.text ?? "") + (report?["reason"]?.text.map { " (\($0))" } ?? "")
            table.rows.append([
                Terminal.safe(name), Terminal.safe(state), upstream["session"]?.integer.map { "\($0)" } ?? "", report?["position"]?.text ?? "",
                upstream["watermark"]?.text ?? "", events.map { "\($0)" } ?? "",
                report?["age_ms"]?.integer.map { TimeText.short(milliseconds: $0) + " ago" } ?? "",
                Terminal.safe(upstream["owner"]?.text ?? "nobody"),
            ])
        }
        return table
    }

    private func shardTable(_ shards: [JSONTree]) -> TextTable {
        var table = TextTable([
            .number("shard"), .number("last seq"), .number("to publish"), .number("last commit"), .number("held"), .text("owner"), .text("note"),
        ])
        for shard in shards {
            let last = shard["last_seq"]?.integer ?? 0
            let note = [shard["halted"]?.text.map { "halted: \($0)" }, shard["outbox_error"]?.text].compactMap { $0 }.joined(separator: "; ")
            table.rows.append([
                shard["shard"]?.integer.map { "\($0)" } ?? "", "\(last)", "\(max(0, last + 1 - (shard["next_seq"]?.integer ?? 1)))",
                shard["last_commit_age_ms"]?.integer.map { TimeText.short(milliseconds: $0) + " ago" } ?? "never", "\(shard["held"]?.integer ?? 0)",
                Terminal.safe(shard["owner"]?.text ?? "nobody"), Terminal.safe(note),
            ])
        }
        return table
    }

    private func isTroubled(_ shard: JSONTree) -> Bool {
        shard["halted"]?.text != nil || shard["outbox_error"]?.text != nil || shard["owner"]?.text == nil
            || (shard["lease_ms_left"]?.integer ?? 0) <= 0
    }

    private func rate(_ difference: Int64, since before: StatusReport) -> String {
        let seconds = max(0.001, (at - before.at) / .seconds(1))
        return "\(Int((Double(max(0, difference)) / seconds).rounded()))"
    }

    static func bytes(_ count: Int64) -> String {
        switch count {
        case ..<1024: "\(count) B"
        case ..<(1 << 20): "\(count >> 10) KiB"
        case ..<(1 << 30): "\(count >> 20) MiB"
        default: "\(count >> 30).\((count & ((1 << 30) - 1)) * 10 >> 30) GiB"
        }
    }
}
