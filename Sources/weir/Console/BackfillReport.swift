/// The backfill's part of the fleet's status, as lines of text; none where nothing is or was fetched.
struct BackfillReport {
    private let tree: JSONTree?
    private let queued: Int64?

    /// - Parameter status: the whole answer of `/status`.
    init(_ status: JSONTree) {
        tree = status["backfill"]
        queued = status["broker"]?["queued_jobs"]?.integer
    }

    func lines() -> [String] {
        guard let tree else { return [] }
        let sources = tree["sources"]?.items ?? []
        let states = ["waiting", "queued", "fetching", "streamed"]
        let counts = states.map { tree["jobs"]?[$0]?.integer ?? 0 }
        guard !sources.isEmpty || counts.contains(where: { $0 > 0 }) else { return [] }
        let most = tree["jobs_counted_to"]?.integer ?? .max
        var parts = zip(counts, states).map { "\($0)\($0 >= most ? " or more" : "") \($1)" }
        if let queued { parts.append("job stream \(queued)") }
        var lines = ["", "backfill: " + parts.joined(separator: " · ")]
        if !sources.isEmpty { lines += table(sources).lines() }
        lines += sources.compactMap { source in
            guard let error = source["error"]?.text, !error.isEmpty else { return nil }
            return "  \(Terminal.safe(source["host"]?.text ?? "")): \(Terminal.safe(error))"
        }
        let parked = tree["parked_hosts"]?.integer ?? 0
        if parked > 0 {
            let named = (tree["parked"]?.items ?? []).prefix(8).map { host in
                let left = TimeText.short(milliseconds: host["ms_left"]?.integer ?? 0)
                return "\(Terminal.safe(host["host"]?.text ?? "")) (\(left), \(Terminal.safe(host["reason"]?.text ?? "")))"
            }
            lines.append("left alone for a while: \(parked) hosts: \(named.joined(separator: ", "))\(parked > Int64(named.count) ? ", …" : "")")
        }
        return lines
    }

    private func table(_ sources: [JSONTree]) -> TextTable {
        var table = TextTable([
            .text("host"), .text("state"), .number("pass"), .number("listed"), .number("done"), .number("open"), .number("failing"),
            .number("refused"), .number("failed"), .number("records"), .number("bytes"),
        ])
        for source in sources {
            let numbers = ["pass", "listed", "done", "open", "failing", "refused", "failed", "records"].map { source[$0]?.integer ?? 0 }
            table.rows.append(
                [Terminal.safe(source["host"]?.text ?? ""), Terminal.safe(source["state"]?.text ?? "")] + numbers.map { "\($0)" }
                    + [StatusReport.bytes(source["bytes"]?.integer ?? 0)])
        }
        return table
    }
}
