/// Takes settings one by one, each read under its own rule; what is left at the end is unknown.
struct SinkSettingsReader {
    private var left: [String: [String]]

    init(_ settings: SinkSettings) {
        left = Dictionary(settings.all.map { ($0.name, $0.values) }, uniquingKeysWith: { first, _ in first })
    }

    static func isSecret(_ name: String) -> Bool { name == "secret" }

    mutating func list(_ name: String) -> [String] {
        // A text may hold several with commas between them, as a flag or a form gives lists.
        (left.removeValue(forKey: name) ?? []).flatMap { $0.split(separator: ",").map { Self.trimmed($0) } }.filter { !$0.isEmpty }
    }

    mutating func text(_ name: String, allowed: String) throws(SinkProblem) -> String? {
        guard let values = left.removeValue(forKey: name) else { return nil }
        guard let value = values.first, values.count == 1 else {
            throw SinkProblem(name, given: "\(values.count) values", allowed: "one value: \(allowed)")
        }
        return value
    }

    mutating func needed(_ name: String, allowed: String) throws(SinkProblem) -> String {
        guard let text = try text(name, allowed: allowed) else { throw SinkProblem(name, allowed: "it is needed: \(allowed)") }
        return text
    }

    mutating func integer(_ name: String, _ range: ClosedRange<Int>) throws(SinkProblem) -> Int? {
        let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let text = try text(name, allowed: allowed) else { return nil }
        guard let value = Int(text), range.contains(value) else { throw SinkProblem(name, given: text, allowed: allowed) }
        return value
    }

    mutating func flag(_ name: String) throws(SinkProblem) -> Bool? {
        guard let text = try text(name, allowed: "true or false") else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default: throw SinkProblem(name, given: text, allowed: "true or false")
        }
    }

    mutating func choice<Value: RawRepresentable<String> & CaseIterable>(_ name: String, _: Value.Type = Value.self) throws(SinkProblem) -> Value? {
        let allowed = Value.allCases.map(\.rawValue).joined(separator: ", ")
        guard let text = try text(name, allowed: allowed) else { return nil }
        guard let value = Value(rawValue: text) else { throw SinkProblem(name, given: text, allowed: allowed) }
        return value
    }

    /// A number and `ms`, `s`, `min` or `h`.
    mutating func duration(_ name: String, _ range: ClosedRange<Duration>) throws(SinkProblem) -> Duration? {
        let allowed = "a time from \(range.lowerBound.milliseconds) ms to \(range.upperBound.milliseconds) ms with its unit, as 500ms, 10s or 2min"
        guard let text = try text(name, allowed: allowed) else { return nil }
        guard let value = Self.duration(text), range.contains(value) else { throw SinkProblem(name, given: text, allowed: allowed) }
        return value
    }

    /// Throws at what nobody took.
    func end(of kind: SinkKind) throws(SinkProblem) {
        guard let unknown = left.keys.sorted().first else { return }
        throw SinkProblem(unknown, given: "a setting \(unknown)", allowed: SinkDefinition.settingNames(of: kind).joined(separator: ", "))
    }

    private static func duration(_ text: String) -> Duration? {
        for (unit, factor) in [("ms", 1), ("min", 60_000), ("s", 1000), ("h", 3_600_000)] where text.hasSuffix(unit) {
            guard let number = Int(text.dropLast(unit.count)), (0...1_000_000_000).contains(number) else { return nil }
            return .milliseconds(number * factor)
        }
        return nil
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }
}
