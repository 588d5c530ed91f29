import Events

/// Sinks as lines of text.
struct SinkReport {
    let tree: JSONTree

    static func table(_ sinks: [JSONTree]) -> TextTable {
        var table = TextTable([
            .text("sink"), .text("kind"), .text("state"), .text("since"), .number("lag"), .number("backlog"), .number("events/s"), .number("halted"),
            .number("dead"), .text("next retry"), .text("last error"),
        ])
        table.rows = sinks.map { SinkReport(tree: $0).row }
        return table
    }

    private var row: [String] {
        [
            text("name"), Terminal.safe(tree["settings"]?["kind"]?.text ?? ""), text("state"), text("since"),
            TimeText.short(milliseconds: count("lag_ms")),
            "\(count("backlog"))", "\(count("events_per_second"))", "\(count("halted_runs"))", "\(count("dead_letters"))", text("next_retry_at"),
            String(text("last_error").prefix(80)),
        ]
    }

    func lines() -> [String] {
        var lines = [Terminal.bold("\(text("name")) is \(text("state")) since \(text("since"))")]
        func add(_ name: String, _ parts: [String?]) {
            let known = parts.compactMap { $0 }.filter { !$0.isEmpty }
            if !known.isEmpty { lines.append("  \(name)\(String(repeating: " ", count: max(1, 10 - name.count)))\(known.joined(separator: " · "))") }
        }
        add("desired", [text("desired"), "by \(text("origin"))", "generation \(count("generation"))"])
        add("behind", ["\(count("backlog")) events in \(count("pending_runs")) runs", "lag \(TimeText.short(milliseconds: count("lag_ms")))"])
        add("rate", ["\(count("events_per_second")) events/s"])
        if count("halted_runs") > 0 { add("halted", ["\(count("halted_runs")) runs, of them \(text("halted_run"))", text("halted_reason")]) }
        if count("dead_letters") > 0 { add("dead", ["\(count("dead_letters")) letters: weir dlq --sink \(text("name"))"]) }
        add("error", [text("last_error"), text("last_error_at")])
        add("retry", [text("next_retry_at")])
        for consumer in tree["consumers"]?.items ?? [] {
            let report = SinkReport(tree: consumer)
            add(
                "worker",
                [
                    report.text("worker"), "\(report.text("state")) since \(report.text("since"))", "breaker \(report.text("breaker"))",
                    "\(report.count("delivered")) delivered, \(report.count("failures")) failures", report.text("error"),
                ])
        }
        if (tree["consumers"]?.items ?? []).isEmpty { add("worker", ["none runs it"]) }
        for setting in tree["settings"]?.members ?? [] {
            let values = setting.value.text.map { [$0] } ?? setting.value.items.compactMap(\.text)
            add(
                setting.key == "kind" ? "kind" : "",
                [(setting.key == "kind" ? "" : "\(setting.key) = ") + Terminal.safe(values.joined(separator: ", "))])
        }
        return lines
    }

    private func text(_ name: String) -> String { Terminal.safe(tree[name]?.text ?? "") }
    private func count(_ name: String) -> Int64 { tree[name]?.integer ?? 0 }
}
