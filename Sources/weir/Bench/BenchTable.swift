import Foundation

/// The result as people read it: the machine, one table, and below it how each ceiling was measured.
struct BenchTable {
    var result: BenchResult

    func lines() -> [String] {
        var table = TextTable([
            .number("#"), .text("what"), .number("figure"), .text("unit"), .number("ceiling"), .number("ratio"), .text("bar"), .text(""),
        ])
        var notes: [String] = []
        for (index, entry) in result.rows.enumerated() {
            let row = entry.row
            table.rows.append([
                "\(index + 1)", row.name, Self.number(row.figure), row.unit, row.ceiling.map(Self.number) ?? "", row.ratio.map(Self.ratio) ?? "",
                Self.bar(row.bar), row.isReached ? "reached" : "NOT REACHED",
            ])
            let ceiling = row.ceilingName.map { "ceiling: \($0)" }
            let note = [ceiling, row.note.isEmpty ? nil : row.note].compactMap { $0 }.joined(separator: "; ")
            if !note.isEmpty { notes.append("  \(index + 1 < 10 ? " " : "")\(index + 1)  \(note)") }
        }
        var lines = result.machine.lines(isFull: result.isFull) + [""]
        if !result.rows.isEmpty { lines += table.lines() + [""] + notes }
        for broken in result.broken { lines.append("part \(broken.part) was not measured: \(Terminal.safe(broken.error))") }
        return lines
    }

    /// One JSON object, in the same order.
    func json() throws -> String {
        struct Row: Encodable {
            var part, name, unit: String
            var figure: Double
            var ceiling: Double?
            var ceilingName: String?
            var ratio: Double?
            var bar: String
            var reached: Bool
            var note: String
        }
        struct Whole: Encodable {
            var machine: BenchMachine
            var mode: String
            var rows: [Row]
            var broken: [BenchResult.Broken]
        }
        let rows = result.rows.map { part, row in
            Row(
                part: part, name: row.name, unit: row.unit, figure: row.figure, ceiling: row.ceiling, ceilingName: row.ceilingName, ratio: row.ratio,
                bar: Self.bar(row.bar), reached: row.isReached, note: row.note)
        }
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let whole = Whole(machine: result.machine, mode: result.isFull ? "full" : "short", rows: rows, broken: result.broken)
        return String(decoding: try encoder.encode(whole), as: UTF8.self)
    }

    private static func bar(_ bar: BenchRow.Bar) -> String {
        switch bar {
        case .ratio(let least): "ratio ≥ \(number(least))"
        case .atLeast(let least): "≥ \(number(least))"
        case .atMost(let most): "≤ \(number(most))"
        }
    }

    private static func ratio(_ value: Double) -> String { fixed(value, digits: value < 10 ? 2 : 1) }

    /// Three digits at least, thousands set apart: `12,345`, `123`, `12.3`, `1.23`.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "\(value)" }
        if value == value.rounded(), abs(value) < 1000 { return "\(Int(value))" }
        guard abs(value) >= 100 else { return fixed(value, digits: abs(value) < 10 ? 2 : 1) }
        let digits = "\(Int(abs(value).rounded()))"
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return value < 0 ? "-" + text : text
    }

    private static func fixed(_ value: Double, digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
