import Events
import Ledger

/// The body of a creation: `{"id": …, "kind": …, "metadata": {…}, "idempotency_key": …}`; all but `kind` may be left out.
struct RunBody: Hashable, Sendable {
    var id: RunID?
    var kind = ""
    var metadata = Array("{}".utf8)
    var idempotencyKey = ""

    static let allowed = #"{"kind": "…", "id": "…", "metadata": {…}, "idempotency_key": "…"}; all but kind may be left out"#

    init(_ bytes: [UInt8]) throws(Problem) {
        guard !bytes.isEmpty else { throw Problem(.badBody, "a body is needed", allowed: Self.allowed) }
        var scanner = try BodyScanner(bytes, allowed: Self.allowed)
        var body = (id: RunID?.none, kind: "", metadata: Array("{}".utf8), idempotencyKey: "")
        try scanner.object(at: "", names: ["id", "kind", "metadata", "idempotency_key"]) { (scanner, name) throws(Problem) in
            switch name {
            case "id": body.id = try Self.id(&scanner)
            case "kind": body.kind = try Self.kind(&scanner)
            case "metadata": body.metadata = try Self.metadata(&scanner)
            default: body.idempotencyKey = try Self.idempotencyKey(&scanner)
            }
        }
        try scanner.end()
        guard !body.kind.isEmpty else { throw Problem(.badBody, "the body lacks a kind", pointer: "", allowed: Self.allowed) }
        (id, kind, metadata, idempotencyKey) = body
    }

    private static func id(_ scanner: inout BodyScanner) throws(Problem) -> RunID? {
        let allowed = "1 to 256 characters of A-Z a-z 0-9 . _ : / -"
        guard let text = try scanner.string(at: "/id", allowed: allowed) else { return nil }
        guard let id = RunID(text) else { throw Problem(.badBody, "no run can have this id", pointer: "/id", given: text, allowed: allowed) }
        if id.isReserved {
            throw Problem(
                .runReserved, "such runs are made by Weir itself", pointer: "/id", given: text,
                allowed: "an id that does not begin with \(RunID.reservedNames.sorted().joined(separator: ", "))")
        }
        if let why = id.whyNotCreatable { throw Problem(.badBody, "no run can have this id: \(why)", pointer: "/id", given: text, allowed: allowed) }
        return id
    }

    private static func kind(_ scanner: inout BodyScanner) throws(Problem) -> String {
        let allowed = "1 to \(RunCreation.kindBytesMax) characters of A-Z a-z 0-9 . _ -"
        let text = try scanner.string(at: "/kind", allowed: allowed)
        guard let text, RunCreation.isKind(text) else {
            throw Problem(.badBody, "no run can be of this kind", pointer: "/kind", given: text, allowed: allowed)
        }
        return text
    }

    private static func metadata(_ scanner: inout BodyScanner) throws(Problem) -> [UInt8] {
        let allowed = "an object of at most \(RunCreation.metadataBytesMax) bytes, without U+0000"
        guard scanner.kind() == .object else { throw Problem(.badBody, "metadata is no object", pointer: "/metadata", allowed: allowed) }
        let text = try scanner.value()
        guard text.count <= RunCreation.metadataBytesMax, !holdsNull(text) else {
            throw Problem(.badBody, "these metadata cannot be kept", pointer: "/metadata", given: "\(text.count) bytes", allowed: allowed)
        }
        return text
    }

    /// Whether an escape stands for U+0000, which `jsonb` cannot keep.
    private static func holdsNull(_ text: [UInt8]) -> Bool {
        var rest = text[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "\\")) {
            if rest[start...].starts(with: Array("\\u0000".utf8)) { return true }
            rest = rest[start...].dropFirst(2)
        }
        return false
    }

    private static func idempotencyKey(_ scanner: inout BodyScanner) throws(Problem) -> String {
        let allowed = "1 to \(RunCreation.idempotencyKeyBytesMax) bytes without U+0000"
        guard let text = try scanner.string(at: "/idempotency_key", allowed: allowed) else { return "" }
        guard ApplicationEvent.isKey(text, bytesMax: RunCreation.idempotencyKeyBytesMax) else {
            throw Problem(.badBody, "this cannot be an idempotency key", pointer: "/idempotency_key", given: text, allowed: allowed)
        }
        return text
    }
}
