import ATProto

/// As much of JSON Schema (2020-12) as the description of the API uses: a keyword beyond it is a fault of its own.
struct JSONSchema {
    let root: JSONValue

    private static let notes: Set<String> = ["description", "format", "default", "pattern", "minLength", "maxLength", "minimum", "maximum"]

    /// Everything that does not fit, each with its place.
    func faults(_ value: JSONValue, _ schema: JSONValue, at place: String = "") -> [String] {
        guard case .object(let keywords) = schema else { return ["\(place): the schema is no object"] }
        return keywords.flatMap { keyword in fault(value, keyword.key, keyword.value, schema, place) }
    }

    private func fault(_ value: JSONValue, _ keyword: String, _ expected: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        switch keyword {
        case "$ref":
            guard let target = resolve(expected.string ?? "") else { return ["\(place): nothing is at \(expected.string ?? "")"] }
            return faults(value, target, at: place)
        case "type":
            let types = expected.array?.compactMap(\.string) ?? [expected.string ?? ""]
            return types.contains { Self.isOf($0, value) } ? [] : ["\(place): \(value) is not of \(types)"]
        case "enum": return expected.array?.contains(value) == true ? [] : ["\(place): \(value) is none of its values"]
        case "const": return value == expected ? [] : ["\(place): \(value) is not \(expected)"]
        case "oneOf":
            let fitting = expected.array?.filter { faults(value, $0, at: place).isEmpty }.count ?? 0
            return fitting == 1 ? [] : ["\(place): fits \(fitting) of oneOf"]
        case "required":
            return (expected.array ?? []).compactMap(\.string).filter { value[$0] == nil }.map { "\(place): lacks \($0)" }
        case "properties":
            guard case .object(let fields) = value else { return [] }
            return fields.flatMap { field in expected[field.key].map { faults(field.value, $0, at: "\(place)/\(field.key)") } ?? [] }
        case "additionalProperties":
            guard case .object(let fields) = value else { return [] }
            let others = fields.filter { schema["properties"]?[$0.key] == nil }
            if expected == .bool(false) { return others.map { "\(place): has \($0.key), which is not described" } }
            return others.flatMap { faults($0.value, expected, at: "\(place)/\($0.key)") }
        case "items":
            return (value.array ?? []).enumerated().flatMap { faults($0.element, expected, at: "\(place)/\($0.offset)") }
        case "minItems", "maxItems":
            guard case .integer(let bound) = expected, let count = value.array?.count else { return [] }
            return keyword == "minItems" && count < bound || keyword == "maxItems" && count > bound ? ["\(place): \(count) items"] : []
        default: return Self.notes.contains(keyword) ? [] : ["\(place): the keyword \(keyword) is not known here"]
        }
    }

    /// `#/a/b`.
    func resolve(_ reference: String) -> JSONValue? {
        reference.split(separator: "/").dropFirst().reduce(JSONValue?.some(root)) { $0?[String($1)] }
    }

    private static func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array), ("object", .object), ("integer", .integer),
            ("number", .integer), ("number", .number):
            true
        default: false
        }
    }
}
