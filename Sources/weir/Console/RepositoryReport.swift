/// A repository as lines of text.
struct RepositoryReport {
    let tree: JSONTree

    func lines() -> [String] {
        var lines = [Terminal.bold("\(text("did")) is \(text("phase"))")]
        func add(_ name: String, _ parts: [String?]) {
            let known = parts.compactMap { $0 }.filter { !$0.isEmpty }
            if !known.isEmpty { lines.append("  \(name)\(String(repeating: " ", count: max(1, 10 - name.count)))\(known.joined(separator: " · "))") }
        }
        let wanted = tree["wanted"]?.flag
        add("scope", [wanted == nil ? "not named" : wanted == true ? "wanted by name" : "left out", request])
        add("state", [text("status"), text("reason")])
        add("rev", [text("rev"), text("data")])
        add("delivered", ["\(count("records"))\(tree["more_records"]?.flag == true ? "+" : "") records", held, "shard \(count("shard"))"])
        add("account", [labelled("last account event", "last_account_at"), labelled("last identity event", "last_identity_at")])
        if let identity = tree["identity"] {
            let report = RepositoryReport(tree: identity)
            add("identity", [report.text("handle"), report.text("host"), report.text("status") + " " + report.text("fetched_at")])
        }
        if let job = tree["job"] {
            let report = RepositoryReport(tree: job)
            let size = report.count("records") > 0 ? "\(report.count("records")) records in \(StatusReport.bytes(report.count("bytes")))" : nil
            add("job", [report.text("state"), report.labelled("wanted as", "reason"), report.labelled("from", "source"), size])
            add("", [report.failures, report.labelled("tried again", "retry_at"), report.labelled("asked", "host"), report.text("error")])
        }
        return lines
    }

    /// Of a page: did, phase, rev, when it is tried again, why.
    static func row(_ tree: JSONTree) -> [String] {
        let report = RepositoryReport(tree: tree)
        let why = [report.text("reason"), report.text("error")].filter { !$0.isEmpty }.joined(separator: "; ")
        return [report.text("did"), report.text("phase"), report.text("rev"), report.text("retry_at"), why]
    }

    private func text(_ name: String) -> String { Terminal.safe(tree[name]?.text ?? "") }
    private func count(_ name: String) -> Int64 { tree[name]?.integer ?? 0 }
    private func labelled(_ label: String, _ name: String) -> String? { text(name).isEmpty ? nil : "\(label) \(text(name))" }
    private var held: String? { count("held") > 0 ? "\(count("held")) messages held" : nil }
    private var request: String? { text("request").isEmpty ? nil : "its shard has still to \(text("request")) it" }
    private var failures: String? { count("failures") > 0 ? "failed \(count("failures")) times" : nil }
}
