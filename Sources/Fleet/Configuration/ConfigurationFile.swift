import Yams

/// A YAML file as a flat list of dotted keys, each with the line it stands on.
///
/// Read from Yams' nodes rather than through a configuration provider: only the nodes tell which keys a file has (so that unknown ones are
/// found) and on which line a value was written.
struct ConfigurationFile: Sendable {
    struct Entry: Hashable, Sendable {
        var path: String
        var value: RawValue
        var line: Int
    }

    var entries: [Entry] = []
    /// Whether there is a mapping `sinks`, also an empty one: `sinks: {}` says that there are none.
    var hasSinks = false

    /// - Parameter name: how messages call the file.
    init(yaml: String, name: String) throws(ConfigurationError) {
        let root: Node?
        do {
            root = try compose(yaml: yaml)
        } catch {
            throw ConfigurationError(problems: [Self.problem(of: error, name: name)])
        }
        guard let root, root != Node("", Tag(.null)), root.null == nil else { return }
        guard case .mapping(let mapping) = root else {
            throw ConfigurationError(problems: [
                ConfigurationProblem(
                    key: name, value: "", origin: .file(path: name, line: root.mark?.line ?? 1), message: "the file must be a mapping of keys")
            ])
        }
        var problems: [ConfigurationProblem] = []
        flatten(mapping, prefix: "", name: name, problems: &problems)
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    private mutating func flatten(_ mapping: Node.Mapping, prefix: String, name: String, problems: inout [ConfigurationProblem]) {
        for (keyNode, node) in mapping {
            let line = keyNode.mark?.line ?? node.mark?.line ?? 0
            let path = prefix + (keyNode.scalar?.string ?? "?")
            switch node {
            case .mapping(let inner) where inner.isEmpty && prefix == "sinks.":
                // A sink of which nothing is said is told, not left out.
                entries.append(Entry(path: path, value: .scalar(""), line: line))
            case .mapping(let inner):
                if path == "sinks" { hasSinks = true }
                flatten(inner, prefix: path + ".", name: name, problems: &problems)
            case .scalar(let scalar):
                // `key:` without a value is a key that was left open, so the default stands.
                let isOpen = node.null != nil && scalar.style == .plain
                if !isOpen || prefix == "sinks." { entries.append(Entry(path: path, value: .scalar(isOpen ? "" : scalar.string), line: line)) }
            case .sequence(let sequence):
                let items = sequence.compactMap { $0.scalar?.string }
                guard items.count == sequence.count else {
                    problems.append(
                        ConfigurationProblem(
                            key: path, value: "", origin: .file(path: name, line: line), message: "a list of plain values is allowed"))
                    continue
                }
                entries.append(Entry(path: path, value: .list(items), line: line))
            case .alias:
                problems.append(
                    ConfigurationProblem(key: path, value: "", origin: .file(path: name, line: line), message: "an alias is not allowed here"))
            }
        }
    }

    private static func problem(of error: any Error, name: String) -> ConfigurationProblem {
        var line = 1
        var message = "\(error)"
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            line = mark.line
            message = "not YAML: \(problem)"
        case .duplicatedKeysInMapping(let duplicates, let context):
            line = context.mark.line
            message = "the key \(duplicates.joined(separator: ", ")) stands there twice"
        default: break
        }
        return ConfigurationProblem(key: name, value: "", origin: .file(path: name, line: line), message: message)
    }
}
