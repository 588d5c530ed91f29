import ATProto
import Events

/// The body that makes a sink: `{"name": "audit", "kind": "webhook", "url": …, "filter": {"collections": […]}, …}`; objects in it stand for the dots of
/// settings' names.
struct SinkBody: Sendable {
    let definition: SinkDefinition

    static let allowed = #"{"name": "audit", "kind": "webhook", "url": "https://…", "filter": {"collections": ["app.bsky.feed.*"]}}"#

    init(_ bytes: [UInt8]) throws(Problem) {
        guard case .object(let fields) = try OrderBody.parse(bytes, allowed: Self.allowed) else {
            throw Problem(.badBody, "the body is no object", pointer: "", allowed: Self.allowed)
        }
        var name: String?
        var settings: [SinkSettings.Setting] = []
        for field in fields {
            if field.key == "name" {
                name = field.value.string
            } else {
                try Self.add(field.value, as: field.key, at: "/\(field.key)", depth: 0, to: &settings)
            }
        }
        guard let name, let known = SinkName(name) else {
            throw Problem(.badSink, "the sink has no name that can be", pointer: "/name", given: name, allowed: SinkName.allowed)
        }
        do {
            definition = try SinkDefinition(name: known, settings: SinkSettings(settings))
            try Self.check(definition)
        } catch {
            throw Problem(
                .badSink, "the sink's \(error.setting) cannot be this", pointer: "/" + error.setting.replacing(".", with: "/"), given: error.given,
                allowed: error.allowed)
        }
    }

    /// What only an operator of the machines may say, in the configuration file.
    private static func check(_ definition: SinkDefinition) throws(SinkProblem) {
        switch definition.target {
        case .file(let path) where path.hasPrefix("/"):
            throw SinkProblem("path", given: path, allowed: "a relative path, below sink.folder; absolute ones stand in the configuration file only")
        case .webhook(let target) where target.allowsPrivate:
            throw SinkProblem("allow_private", given: "true", allowed: "this in the configuration file only")
        case .webhook(let target) where target.authoritiesFile != nil:
            throw SinkProblem("ca_file", given: target.authoritiesFile ?? "", allowed: "this in the configuration file only")
        default: break
        }
    }

    private static func add(
        _ value: JSONValue, as name: String, at pointer: String, depth: Int, to settings: inout [SinkSettings.Setting]
    ) throws(Problem) {
        switch value {
        case .null: break
        case .object(let fields) where depth == 0:
            for field in fields { try add(field.value, as: "\(name).\(field.key)", at: "\(pointer)/\(field.key)", depth: 1, to: &settings) }
        case .array(let items):
            var values: [String] = []
            for item in items { values.append(try text(item, at: pointer)) }
            settings.append(SinkSettings.Setting(name, values))
        default: settings.append(SinkSettings.Setting(name, [try text(value, at: pointer)]))
        }
    }

    private static func text(_ value: JSONValue, at pointer: String) throws(Problem) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .bool(let flag): flag ? "true" : "false"
        default: throw Problem(.badSink, "a setting is no text", pointer: pointer, allowed: "a text, a whole number, true, false, or a list of texts")
        }
    }
}

/// The body of an order about a sink: `{"run": "orders/17"}` for one run of it (without: all), and at a rewind `to`: `earliest`, `now` or a seq.
struct OrderBody: Hashable, Sendable {
    var run: RunID?
    var start: SinkStart?

    init(_ bytes: [UInt8], of change: SinkRoute.Change) throws(Problem) {
        let allowed = change == .rewind ? #"{"to": "earliest", "now" or a seq, "run": "…"}"# : #"{"run": "…"}, or no body"#
        let value = bytes.isEmpty ? .object([]) : try Self.parse(bytes, allowed: allowed)
        guard case .object(let fields) = value else { throw Problem(.badBody, "the body is no object", pointer: "", allowed: allowed) }
        for field in fields {
            switch field.key {
            case "run" where change == .reset || change == .rewind:
                guard let run = field.value.string.flatMap({ RunID($0) }) else {
                    throw Problem(.badBody, "no run can have this id", pointer: "/run", given: field.value.string, allowed: allowed)
                }
                self.run = run
            case "to" where change == .rewind:
                let text = if case .integer(let seq) = field.value { "\(seq)" } else { field.value.string ?? "" }
                guard let start = SinkStart(text) else {
                    throw Problem(.badBody, "a cursor cannot be set to this", pointer: "/to", given: text, allowed: allowed)
                }
                self.start = start
            default:
                throw Problem(
                    .unknownMember, "the body has a member that means nothing here", pointer: "/\(field.key)", given: field.key, allowed: allowed)
            }
        }
        if change == .rewind, start == nil { throw Problem(.badBody, "the body lacks to", pointer: "/to", allowed: allowed) }
    }

    static func parse(_ bytes: [UInt8], allowed: String) throws(Problem) -> JSONValue {
        guard !bytes.isEmpty else { throw Problem(.badBody, "a body is needed", allowed: allowed) }
        do {
            return try JSONValue(parsing: bytes, valuesMax: 20_000)
        } catch {
            throw Problem(.badBody, "the body is not JSON: \(error.message)", allowed: allowed)
        }
    }
}
