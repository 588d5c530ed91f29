/// The table as pages for people: the reference in Markdown, and the sample file.
public enum ConfigurationReference {
    /// One section a group, one row a key; `Configuration.md` holds exactly this between its two marks.
    public static func markdown(_ table: [ConfigurationKey] = ConfigurationTable.keys) -> String {
        var lines = ["| key | variable | value | default | |", "|---|---|---|---|---|"]
        for key in table {
            let standard = key.standard.isEmpty ? "" : "`\(key.standard)`"
            lines.append("| `\(key.path)` | `\(key.variable)` | \(key.kind.short) | \(standard) | \(key.summary) |")
        }
        return lines.joined(separator: "\n")
    }

    /// A file with every key at its default, each under its description: `ops/weir.yaml` is this.
    public static func sampleFile(_ table: [ConfigurationKey] = ConfigurationTable.keys) -> String {
        var lines = [
            "# Weir's configuration: every key at its default. Made by `weir config --sample`.",
            "# The environment (the variable in brackets) and flags (--set key=value) win over this file.",
        ]
        var group = ""
        for key in table {
            let parts = key.path.split(separator: ".", maxSplits: 1).map(String.init)
            let nested = parts.count == 2
            if !nested || parts[0] != group { lines.append("") }
            if nested, parts[0] != group { lines.append("\(parts[0]):") }
            group = nested ? parts[0] : ""
            let indent = nested ? "  " : ""
            lines.append("\(indent)# \(key.summary)")
            lines.append("\(indent)# \(key.kind.short) [\(key.variable)]")
            lines.append("\(indent)\(parts[parts.count - 1]):\(yaml(key))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func yaml(_ key: ConfigurationKey) -> String {
        if key.standard.isEmpty { return "" }
        if key.kind.isList { return " [" + key.standard.split(separator: ",").map { "\"\($0)\"" }.joined(separator: ", ") + "]" }
        return key.standard.contains(":") ? " \"\(key.standard)\"" : " \(key.standard)"
    }
}

extension ConfigurationKey.Kind {
    /// Whether a file gives it as a list.
    var isList: Bool {
        switch self {
        case .urls, .dids: true
        default: false
        }
    }

    /// What a value is, in a table's cell.
    public var short: String {
        switch self {
        case .text(let bytesMax): "text, at most \(bytesMax) bytes"
        case .url(let schemes): "address (" + schemes.map { "`\($0)`" }.joined(separator: ", ") + ")"
        case .urls(let schemes): "list of addresses (" + schemes.map { "`\($0)`" }.joined(separator: ", ") + ")"
        case .dids: "list of DIDs"
        case .patterns: "list of collections"
        case .tokens: "list of tokens"
        case .integer(let range):
            range.upperBound == .max ? "number from \(range.lowerBound)" : "number, \(range.lowerBound) to \(range.upperBound)"
        case .bytes(let range): "bytes, \(Self.format(bytes: range.lowerBound)) to \(Self.format(bytes: range.upperBound))"
        case .duration(let range): "time, \(Self.format(range.lowerBound)) to \(Self.format(range.upperBound))"
        case .choice(let choices): choices.map { "`\($0)`" }.joined(separator: ", ")
        case .flag: "`true`, `false`"
        case .address: "host:port"
        }
    }
}
