/// Names that no other test has, also none of an earlier or a parallel run on the same server.
public enum RandomName {
    /// A prefix for Redis keys, `test:<12 characters>:`.
    public static func prefix() -> String { "test:\(letters()):" }

    /// A name for a Postgres schema, table, slot or role: `test_<12 characters>`, no quotes needed.
    public static func schema() -> String { "test_\(letters())" }

    private static func letters() -> String {
        String((0..<12).compactMap { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() })
    }
}
