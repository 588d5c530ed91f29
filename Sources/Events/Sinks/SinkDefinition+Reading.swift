extension SinkDefinition {
    private static let common = [
        "kind", "runs.kinds", "runs.prefix", "filter.kinds", "filter.collections", "filter.dids", "filter.actions", "filter.types", "format", "start",
        "policy",
        "attempts", "batch.events", "batch.bytes", "concurrency", "rate", "timeout", "breaker.failures", "breaker.recovery", "retry.cap",
    ]

    /// Every setting that a sink of a kind may have.
    public static func settingNames(of kind: SinkKind) -> [String] {
        switch kind {
        case .file: common + ["path"]
        case .stdout: common
        case .redis: common + ["url", "stream", "length"]
        case .webhook: common + ["url", "secret", "allow_private", "ca_file"]
        case .postgres: (common + ["url", "table", "mode"]).filter { $0 != "format" }
        }
    }

    static func runs(_ reader: inout SinkSettingsReader) throws(SinkProblem) -> Runs {
        let kinds = reader.list("runs.kinds")
        guard kinds.count <= 100 else { throw SinkProblem("runs.kinds", given: "\(kinds.count) values", allowed: "at most 100") }
        let allowed = "the beginning of runs' ids: at most 256 of A-Z a-z 0-9 . _ : / -"
        let prefix = try reader.text("runs.prefix", allowed: allowed) ?? ""
        guard prefix.isEmpty || RunID(prefix) != nil else { throw SinkProblem("runs.prefix", given: prefix, allowed: allowed) }
        return Runs(kinds: kinds, prefix: prefix)
    }

    static func filter(_ reader: inout SinkSettingsReader) throws(SinkProblem) -> EventFilter {
        let (collections, dids) = (reader.list("filter.collections"), reader.list("filter.dids"))
        let (kinds, actions, types) = (reader.list("filter.kinds"), reader.list("filter.actions"), reader.list("filter.types"))
        do {
            return try EventFilter(collections: collections, dids: dids, kinds: kinds, actions: actions, types: types)
        } catch {
            throw SinkProblem("filter.\(error.field.rawValue)", given: error.given, allowed: error.allowed)
        }
    }

    static func format(_ reader: inout SinkSettingsReader, _ kind: SinkKind) throws(SinkProblem) -> EventFormat {
        // A table has columns; a form of text would be left over, and is then told as unknown.
        kind == .postgres ? .weir : try reader.choice("format") ?? .weir
    }

    static func target(_ kind: SinkKind, _ reader: inout SinkSettingsReader) throws(SinkProblem) -> Target {
        switch kind {
        case .file:
            let allowed = "a file's path of at most 1024 bytes; a relative one lies below sink.folder, and has no part that is .."
            let path = try reader.needed("path", allowed: allowed)
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            guard path.utf8.count <= 1024, !parts.contains(".."), parts.last != "", !path.utf8.contains(where: { $0 < 0x20 }) else {
                throw SinkProblem("path", given: path, allowed: allowed)
            }
            return .file(path: path)
        case .stdout: return .stdout
        case .redis:
            let allowed = "a key in Redis of 1 to 512 bytes"
            let stream = try reader.needed("stream", allowed: allowed)
            guard (1...512).contains(stream.utf8.count) else { throw SinkProblem("stream", given: stream, allowed: allowed) }
            let url = try url(&reader, schemes: ["redis", "rediss", "redis+unix", "unix"])
            return .redis(url: url, stream: stream, length: try reader.integer("length", 1...100_000_000) ?? 100_000)
        case .webhook: return .webhook(try WebhookTarget(&reader))
        case .postgres:
            let table = try reader.needed("table", allowed: TableName.allowed)
            guard let name = TableName(table) else { throw SinkProblem("table", given: table, allowed: TableName.allowed) }
            return .postgres(url: try url(&reader, schemes: ["postgres", "postgresql"]), table: name, mode: try reader.choice("mode") ?? .append)
        }
    }

    private static func url(_ reader: inout SinkSettingsReader, schemes: [String]) throws(SinkProblem) -> String? {
        let allowed = "an address that begins with \(schemes.map { $0 + "://" }.joined(separator: ", ")); none: Weir's own"
        guard let url = try reader.text("url", allowed: allowed) else { return nil }
        guard schemes.contains(where: { url.hasPrefix($0 + "://") }), url.utf8.count <= 2048, url.utf8.allSatisfy({ $0 > 0x20 }) else {
            throw SinkProblem("url", allowed: allowed)
        }
        return url
    }
}
