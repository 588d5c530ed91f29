import Events

/// Reads the members of a body's objects and says of a wrong one where it stands (RFC 6901) and what is allowed.
struct BodyScanner: Sendable {
    private var json: JSONScanner
    /// What the whole body may be, for messages.
    private let allowed: String

    init(_ bytes: [UInt8], allowed: String) throws(Problem) {
        self.allowed = allowed
        do {
            json = try JSONScanner(bytes)
        } catch {
            throw Problem(.badBody, "the body is not JSON: \(error)", allowed: allowed)
        }
    }

    /// Does something with the scanner; what it throws becomes a problem.
    mutating func read<Value>(_ body: (inout JSONScanner) throws(JSONScanError) -> Value) throws(Problem) -> Value {
        do {
            return try body(&json)
        } catch {
            throw Problem(.badBody, "the body is not JSON as it should be: \(error)", allowed: allowed)
        }
    }

    mutating func kind() -> JSONScanner.Kind? { json.kind() }
    mutating func isAtEnd() -> Bool { json.isAtEnd() }

    /// Calls `member` for each member of an object with its name; it takes the value. Each name once, and only those of `names`.
    mutating func object(
        at pointer: String, names: [String], _ member: (inout BodyScanner, String) throws(Problem) -> Void
    ) throws(Problem) {
        guard kind() == .object else { throw Problem(.badBody, "an object is needed", pointer: pointer, allowed: allowed) }
        var seen = 0
        var isFirst = true
        while let name = try read({ (json) throws(JSONScanError) in try json.member(isFirst: isFirst) }) {
            isFirst = false
            guard let index = names.firstIndex(of: name) else {
                throw Problem(
                    .unknownMember, "the body has a member that means nothing here", pointer: "\(pointer)/\(Self.escaped(name))", given: name,
                    allowed: names.joined(separator: ", "))
            }
            guard seen & (1 << index) == 0 else {
                throw Problem(.badBody, "\(name) stands there twice", pointer: "\(pointer)/\(name)", allowed: allowed)
            }
            seen |= 1 << index
            try member(&self, name)
        }
    }

    /// Nil at `null`.
    mutating func string(at pointer: String, allowed: String) throws(Problem) -> String? {
        if try null() { return nil }
        guard kind() == .string else { throw Problem(.badBody, "a text is needed", pointer: pointer, allowed: allowed) }
        return try read { (json) throws(JSONScanError) in try json.string() }
    }

    /// Nil at `null`.
    mutating func integer(at pointer: String, allowed: String) throws(Problem) -> Int64? {
        if try null() { return nil }
        do {
            return try json.integer()
        } catch {
            throw Problem(.badBody, "a whole number is needed", pointer: pointer, allowed: allowed)
        }
    }

    /// Any value as text, without white space between its tokens.
    mutating func value() throws(Problem) -> [UInt8] {
        try read { (json) throws(JSONScanError) in
            var bytes: [UInt8] = []
            try json.value(into: &bytes)
            return bytes
        }
    }

    private mutating func null() throws(Problem) -> Bool {
        guard kind() == .null else { return false }
        try read { (json) throws(JSONScanError) in try json.skipValue() }
        return true
    }

    mutating func end() throws(Problem) {
        guard isAtEnd() else { throw Problem(.badBody, "text stands behind the body's value", given: "byte \(json.offset)", allowed: allowed) }
    }

    /// RFC 6901 §3.
    private static func escaped(_ name: String) -> String {
        name.excerpt(scalars: 200).replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
