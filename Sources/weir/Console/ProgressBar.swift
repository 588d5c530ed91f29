import Glibc

/// Shows how far something has come on standard error: a bar where a person looks, a line each quarter where a log is written.
struct ProgressBar {
    private let title: String
    private let isTerminal: Bool
    private let begun = ContinuousClock.now
    private var lastPainted: ContinuousClock.Instant?
    private var lastQuarter = 0

    init(_ title: String, isTerminal: Bool = Console.errorIsTerminal) {
        self.title = title
        self.isTerminal = isTerminal
    }

    /// - Parameter note: what is being done, at the end of the line.
    mutating func show(_ done: Int, of total: Int, note: String = "") {
        let share = total > 0 ? min(1, Double(done) / Double(total)) : 1
        guard isTerminal else {
            let quarter = Int(share * 4)
            if quarter > lastQuarter || done == 0 { Console.complain("\(title): \(done) of \(total)\(note.isEmpty ? "" : ", \(note)")") }
            lastQuarter = quarter
            return
        }
        let now = ContinuousClock.now
        if done < total, let lastPainted, now - lastPainted < .milliseconds(80) { return }
        lastPainted = now
        Console.paint("\r\u{1b}[2K" + Self.line(title: title, share: share, done: done, total: total, note: note, width: Console.width))
    }

    /// Ends the line, with how long it took.
    mutating func finish(_ result: String = "done") {
        let text = "\(title): \(result) (\(TimeText.short(ContinuousClock.now - begun)))"
        Console.paint(isTerminal ? "\r\u{1b}[2K\(text)\n" : "\(text)\n")
    }

    static func line(title: String, share: Double, done: Int, total: Int, note: String, width: Int) -> String {
        let tail = " \(Int(share * 100))% \(done)/\(total)\(note.isEmpty ? "" : " \(note)")"
        let room = max(8, min(40, width - title.count - tail.count - 5))
        let filled = Int(Double(room) * share)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled)
        return String("\(title) \(bar)\(tail)".prefix(max(20, width - 1)))
    }
}
