import Fleet

/// The run of a backfill as one line that is painted over: what `weir tail backfill/<host>` shows in a terminal.
struct BackfillBar {
    private let title: String
    private var bar: ProgressBar

    init(_ run: String, isTerminal: Bool = true) {
        title = run
        bar = ProgressBar(Terminal.safe(run), isTerminal: isTerminal)
    }

    /// Paints an event of the run; at the terminal one the line ends.
    mutating func show(_ event: EventStreamParser.Event) {
        guard let tree = JSONTree(Array(event.data.utf8)) else { return }
        if let progress = tree["progress"] {
            let look = Look(progress)
            bar.show(look.resolved, of: look.total, note: look.note)
        } else if let terminal = tree["terminal"] {
            bar.finish(Terminal.safe(terminal["state"]?.text ?? "ended"))
        }
    }

    /// What a `progress` event says to a person.
    struct Look: Hashable {
        var resolved: Int
        /// While pages are still read: one more than is done at least, since more is to come.
        var total: Int
        var note: String

        init(_ progress: JSONTree) {
            func count(_ name: String) -> Int64 { max(0, progress[name]?.integer ?? 0) }
            let isListing = progress["listing"]?.flag == true
            resolved = Int(clamping: count("resolved"))
            total = max(Int(clamping: count("listed")), isListing ? resolved + 1 : 0)
            var parts: [String] = isListing ? ["listing"] : []
            parts.append("\(count("records")) records")
            parts.append(StatusReport.bytes(count("bytes")))
            if count("refused") > 0 { parts.append("\(count("refused")) refused") }
            if count("failed") > 0 { parts.append("\(count("failed")) failed") }
            if count("failing") > 0 { parts.append("\(count("failing")) failing") }
            if count("parked_hosts") > 0 { parts.append("\(count("parked_hosts")) hosts parked") }
            if count("open") > 0, let left = progress["eta_seconds"]?.integer {
                parts.append("ends in \(TimeText.short(milliseconds: max(0, min(left, 1 << 40)) * 1000))")
            }
            note = parts.joined(separator: " · ")
        }
    }
}
