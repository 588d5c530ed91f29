import Events
import NIOHTTP1

extension Router {
    /// Nil where the path is none of sinks or dead letters.
    func sinks(_ request: Request) throws(Problem) -> SinkRoute? {
        let parts = request.path.split(separator: "/").map(String.init)
        switch (parts.first, parts.count) {
        case ("sinks", 1):
            guard request.method == .POST else {
                _ = try QueryReader(request, allowed: [])
                return .list
            }
            let replaces: YesOrNo? = try QueryReader(request, allowed: ["replace"]).choice("replace")
            return .create(replaces: replaces == .yes)
        case ("sinks", 2):
            _ = try QueryReader(request, allowed: [])
            let name = try sinkName(parts[1])
            return request.method == .DELETE ? .remove(name) : .show(name)
        case ("sinks", 3):
            _ = try QueryReader(request, allowed: [])
            guard let change = SinkRoute.Change(rawValue: parts[2]) else { return nil }
            return .change(try sinkName(parts[1]), change)
        case ("dlq", 1): return try letters(request)
        case ("dlq", 2), ("dlq", 3):
            _ = try QueryReader(request, allowed: [])
            guard let id = Int64(parts[1]), id > 0 else {
                throw Problem(.letterNotFound, "no dead letter can have this id", given: parts[1], allowed: "a whole number from 1 on")
            }
            if parts.count == 2 { return .letter(id) }
            return SinkRoute.Settlement(rawValue: parts[2]).map { .settle(id, $0) }
        default: return nil
        }
    }

    enum YesOrNo: String, CaseIterable {
        case yes = "true"
        case no = "false"
    }

    private func letters(_ request: Request) throws(Problem) -> SinkRoute {
        let query = try QueryReader(request, allowed: ["sink", "skipped", "before", "limit"])
        var sink: SinkName?
        if let text = query.text("sink") { sink = try sinkName(text) }
        let withSkipped: YesOrNo? = try query.choice("skipped")
        return .letters(
            sink: sink, withSkipped: withSkipped == .yes, before: try query.integer("before", in: 1...Int64.max),
            limit: Int(try query.integer("limit", in: 1...1000) ?? 100))
    }

    private func sinkName(_ text: String) throws(Problem) -> SinkName {
        guard let name = SinkName(text) else {
            throw Problem(.sinkNotFound, "no sink can have this name", given: text, allowed: SinkName.allowed)
        }
        return name
    }
}
