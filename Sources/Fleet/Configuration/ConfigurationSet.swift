/// Every key with its value and the place it came from: defaults, then the file, then the environment, then flags; later ones win.
public struct ConfigurationSet: Sendable {
    public struct Entry: Sendable {
        public var key: ConfigurationKey
        public var value: ConfigurationValue
        /// As written, for people.
        public var text: String
        public var origin: ConfigurationOrigin
    }

    /// In the order of the table.
    public private(set) var entries: [Entry] = []
    private var indexes: [String: Int] = [:]
    /// Settings of sinks, by their paths without `sinks.`: `audit.filter.kinds`. Their names are the operator's, so the table has none of them.
    public private(set) var sinkSettings: [String: SinkSetting] = [:]
    /// Whether the file says which sinks there are, also that there are none.
    public let hasSinks: Bool

    public struct SinkSetting: Sendable {
        public var values: [String]
        public var origin: ConfigurationOrigin
    }

    /// Where values come from. All are looked at, and everything that is wrong is told at once.
    public struct Sources: Sendable {
        /// The file's text and the name that messages give it; nil where there is none.
        public var file: (yaml: String, name: String)?
        public var environment: [String: String]
        /// `key=value` each.
        public var flags: [String]

        public init(file: (yaml: String, name: String)? = nil, environment: [String: String] = [:], flags: [String] = []) {
            self.file = file
            self.environment = environment
            self.flags = flags
        }
    }

    public init(_ sources: Sources, table: [ConfigurationKey] = ConfigurationTable.keys) throws(ConfigurationError) {
        let file = try sources.file.map { file throws(ConfigurationError) in try ConfigurationFile(yaml: file.yaml, name: file.name) }
        hasSinks = file?.hasSinks ?? false
        var problems: [ConfigurationProblem] = []
        for key in table {
            indexes[key.path] = entries.count
            entries.append(Entry(key: key, value: .none, text: key.standard, origin: .standard))
            set(key.path, RawValue.scalar(key.standard), .standard, &problems)
        }
        if let file, let name = sources.file?.name {
            for entry in file.entries {
                set(entry.path, entry.value, .file(path: name, line: entry.line), &problems)
            }
        }
        for (name, value) in sources.environment.sorted(by: { $0.key < $1.key }) where EnvironmentNames.isOurs(name) {
            let path = table.first { $0.variable == name }?.path
            if let path {
                set(path, .scalar(value), .variable(name), &problems)
            } else {
                let near = NearName.suggestion(for: name, among: table.map(\.variable))
                problems.append(ConfigurationProblem(key: name, value: "", origin: .variable(name), message: "there is no such variable\(near)"))
            }
        }
        for flag in sources.flags {
            guard let equals = flag.firstIndex(of: "=") else {
                problems.append(
                    ConfigurationProblem(
                        key: flag, value: "", origin: .flag("--set"), message: "key=value is allowed, as --set api.bind=127.0.0.1:7480"))
                continue
            }
            set(String(flag[..<equals]), .scalar(String(flag[flag.index(after: equals)...])), .flag("--set"), &problems)
        }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    /// Sets a key as the command itself decides, after every other source.
    public mutating func set(_ path: String, to text: String, by command: String) throws(ConfigurationError) {
        var problems: [ConfigurationProblem] = []
        set(path, .scalar(text), .command(command), &problems)
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    public subscript(_ path: String) -> Entry? { indexes[path].map { entries[$0] } }

    private mutating func set(_ path: String, _ raw: RawValue, _ origin: ConfigurationOrigin, _ problems: inout [ConfigurationProblem]) {
        if path.hasPrefix("sinks.") {
            let values = if case .list(let items) = raw { items } else { [raw.text] }
            sinkSettings[String(path.dropFirst("sinks.".count))] = SinkSetting(values: values, origin: origin)
            return
        }
        guard let index = indexes[path] else {
            let near = NearName.suggestion(for: path, among: entries.map(\.key.path))
            problems.append(ConfigurationProblem(key: path, value: "", origin: origin, message: "there is no such key\(near)"))
            return
        }
        let key = entries[index].key
        do throws(NotAllowed) {
            entries[index].value = try key.kind.read(raw)
            entries[index].text = raw.text
            entries[index].origin = origin
        } catch {
            problems.append(
                ConfigurationProblem(key: path, value: key.shown(raw.text), origin: origin, message: error.message))
        }
    }
}
