/// A run as lines of text.
struct RunReport {
    let tree: JSONTree

    func lines() -> [String] {
        var lines = [Terminal.bold("\(text("id")) is \(text("state"))")]
        func add(_ name: String, _ parts: [String?]) {
            let known = parts.compactMap { $0 }.filter { !$0.isEmpty }
            if !known.isEmpty { lines.append("  \(name)\(String(repeating: " ", count: max(1, 10 - name.count)))\(known.joined(separator: " · "))") }
        }
        add("kind", [text("kind"), text("created_by").isEmpty ? nil : "created by \(text("created_by"))"])
        add("started", [text("started_at")])
        add("last seq", ["\(lastSeq)", text("last_event_at")])
        add("published", (tree["next_seq"]?.members ?? []).map { "\(Terminal.safe($0.key)) to \(($0.value.integer ?? 1) - 1)" })
        add("ended", [text("finished_at"), text("ended_by").isEmpty ? nil : "by \(text("ended_by"))", text("end_reason")])
        if let metadata = tree["metadata"]?.json, metadata != "{}" { add("metadata", [Terminal.safe(metadata)]) }
        return lines
    }

    /// Of a page: id, kind, state, last seq, how far the outlet is, last event.
    static func row(_ tree: JSONTree) -> [String] {
        let report = RunReport(tree: tree)
        let published = tree["next_seq"]?["outlet"]?.integer.map { "\($0 - 1)" } ?? ""
        return [report.text("id"), report.text("kind"), report.text("state"), "\(report.lastSeq)", published, report.text("last_event_at")]
    }

    private var lastSeq: Int64 { tree["last_seq"]?.integer ?? 0 }
    private func text(_ name: String) -> String { Terminal.safe(tree[name]?.text ?? "") }
}
