import ATProto
import Events
import Ledger

/// The body of a change of the scope: `{"dids": ["did:plc:…", …]}`, 1 to 10,000 DIDs, and nothing else.
struct ScopeBody: Hashable, Sendable {
    /// Each once, in the order of the body.
    let dids: [String]

    static let allowed = #"{"dids": ["did:plc:…", …]}"#

    /// Throws what is wrong, where, and what is allowed.
    init(_ bytes: [UInt8]) throws(Problem) {
        guard !bytes.isEmpty else { throw Problem(.badBody, "a body is needed", allowed: Self.allowed) }
        guard case .object(let fields) = try Self.parse(bytes) else {
            throw Problem(.badBody, "the body is no object", pointer: "", allowed: Self.allowed)
        }
        for field in fields where field.key != "dids" {
            throw Problem(
                .unknownMember, "the body has a member that means nothing here", pointer: Self.pointer(field.key), given: field.key, allowed: "dids")
        }
        guard let value = fields.first?.value else { throw Problem(.badBody, "the body lacks dids", pointer: "", allowed: Self.allowed) }
        guard let items = value.array else { throw Problem(.badBody, "dids is no array", pointer: "/dids", allowed: Self.allowed) }
        guard (1...Ledger.scopeCallMax).contains(items.count) else {
            let code: Problem.Code = items.isEmpty ? .badBody : .tooMany
            throw Problem(code, "dids has \(items.count) items", pointer: "/dids", given: "\(items.count)", allowed: "1 to \(Ledger.scopeCallMax)")
        }
        var seen: Set<String> = []
        var dids: [String] = []
        dids.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            guard let text = item.string, Syntax.isDID(text) else {
                throw Problem(
                    .badDID, "item \(index) of dids is no DID", pointer: "/dids/\(index)", given: item.string ?? Self.kind(item),
                    allowed: "a DID, as did:plc:…")
            }
            if seen.insert(text).inserted { dids.append(text) }
        }
        self.dids = dids
    }

    private static func parse(_ bytes: [UInt8]) throws(Problem) -> JSONValue {
        do {
            return try JSONValue(parsing: bytes, valuesMax: Ledger.scopeCallMax * 2)
        } catch {
            if error.code == .tooLarge {
                throw Problem(.tooMany, "the body has \(error.message)", allowed: "\(allowed) with at most \(Ledger.scopeCallMax) DIDs")
            }
            let place = error.offset.map { " at byte \($0)" } ?? ""
            throw Problem(.badBody, "the body is not JSON: \(error.message)\(place)", allowed: allowed)
        }
    }

    /// RFC 6901 §3.
    private static func pointer(_ key: String) -> String {
        "/" + key.excerpt(scalars: 200).replacing("~", with: "~0").replacing("/", with: "~1")
    }

    private static func kind(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "true or false"
        case .integer, .number: "a number"
        case .string: "a text"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
