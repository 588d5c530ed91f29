/// A label set of a series, in the order of names, already written: `{kind="commit",shard="3"}`.
struct Labels: Hashable, Comparable, Sendable {
    /// Without the braces; empty where there are none.
    let text: String

    init(_ pairs: [(String, String)]) {
        text = pairs.sorted { $0.0 < $1.0 }.map { "\(Self.name($0.0))=\"\(Self.escape($0.1))\"" }.joined(separator: ",")
    }

    static func < (a: Self, b: Self) -> Bool { a.text < b.text }

    /// With one more label at the end, in braces.
    func braced(_ extra: String = "") -> String {
        let all = text.isEmpty || extra.isEmpty ? text + extra : "\(text),\(extra)"
        return all.isEmpty ? "" : "{\(all)}"
    }

    /// Letters, digits, `_` and `:`; anything else becomes `_`, as does a digit in front.
    static func name(_ text: String) -> String {
        var name = String(
            text.unicodeScalars.map { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" || scalar == ":")
                    ? Character(scalar) : "_"
            })
        if name.isEmpty || name.first?.isNumber == true { name = "_" + name }
        return name
    }

    private static func escape(_ text: String) -> String {
        var escaped = ""
        // By scalars: a mark behind a quotation mark makes another character of it, and would hide it.
        for scalar in text.unicodeScalars.prefix(200) {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n", "\r": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
