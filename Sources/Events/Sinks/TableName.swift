/// The name of a table in Postgres, `name` or `schema.name`, each part 1 to 48 of `a-z 0-9 _`, no digit first: such names need no quotation marks.
public struct TableName: Hashable, Sendable, CustomStringConvertible {
    /// Nil: the first of the connection's search path.
    public let schema: String?
    public let name: String

    public static let allowed = "name or schema.name, each 1 to 48 of a-z 0-9 _, no digit first"

    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let last = parts.last, parts.allSatisfy({ Self.isName($0) }) else { return nil }
        schema = parts.count == 2 ? String(parts[0]) : nil
        name = String(last)
    }

    /// Quoted: a name may be a word of SQL.
    public var description: String { qualified(name) }

    /// Another table in the same schema.
    public func qualified(_ other: String) -> String { (schema.map { "\"\($0)\"." } ?? "") + "\"\(other)\"" }

    private static func isName(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 48, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
}
