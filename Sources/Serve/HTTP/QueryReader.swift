import Events

/// Reads the values of a query and says of a wrong one what it is, where it stands and what is allowed.
struct QueryReader {
    private let values: [(name: String, value: String)]

    /// Throws `unknownParameter` at a name that is not in `allowed`: a filter with a typing error would otherwise let everything through.
    init(_ request: Request, allowed: [String]) throws(Problem) {
        for (name, _) in request.query where !allowed.contains(name) {
            throw Problem(
                .unknownParameter, "this path has no such parameter", parameter: name,
                allowed: allowed.isEmpty ? "no parameters" : allowed.joined(separator: ", "))
        }
        values = request.query
    }

    func text(_ name: String) -> String? { values.last { $0.name == name }?.value }

    /// All values of a parameter that may stand several times, each as it is.
    func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }

    /// All values of a parameter that may stand several times or hold several values with commas between them.
    func list(_ name: String) -> [String] {
        values.filter { $0.name == name }.flatMap { $0.value.split(separator: ",").map(String.init) }
    }

    func integer(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let text = text(name) else { return nil }
        guard let value = Int64(text), range.contains(value) else {
            throw Problem.parameter(name, given: text, allowed: "a whole number, \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func choice<Value: RawRepresentable & CaseIterable>(_ name: String) throws(Problem) -> Value? where Value.RawValue == String {
        guard let text = text(name) else { return nil }
        guard let value = Value(rawValue: text) else {
            throw Problem.parameter(name, given: text, allowed: Value.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return value
    }

    /// `format`, `collections`, `dids`, `kinds`, `actions`, `type`.
    func selection() throws(Problem) -> EventSelection {
        let format: EventFormat = try choice("format") ?? .weir
        do {
            let filter = try EventFilter(
                collections: list("collections"), dids: list("dids"), kinds: list("kinds"), actions: list("actions"),
                types: list("type"))
            return EventSelection(format: format, filter: filter)
        } catch {
            throw Problem.parameter(error.field.rawValue, given: error.given, allowed: error.allowed)
        }
    }

    static let selectionNames = ["format", "collections", "dids", "kinds", "actions", "type"]
}
