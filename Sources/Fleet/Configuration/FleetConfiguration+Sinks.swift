public import Events

/// Where events go beside the outlets: `sinks:`, by name.
extension FleetConfiguration {
    public var sinkFolder: String { values.text("sink.folder") ?? ".weir/sinks" }

    /// In order of name. None where the configuration file has `sinks: {}`; nil where nothing is said of sinks: then those of the ledger stay as they are.
    public var sinks: [SinkDefinition]? {
        guard values.hasSinks || !values.sinkSettings.isEmpty else { return nil }
        return Self.sinkTexts(values).compactMap { name, settings in
            guard let name = SinkName(name), let settings = try? SinkSettings(settings) else { return nil }
            return try? SinkDefinition(name: name, settings: settings)
        }
    }

    private static func sinkTexts(_ values: ConfigurationSet) -> [(name: String, settings: [SinkSettings.Setting])] {
        var sinks: [String: [SinkSettings.Setting]] = [:]
        for (path, setting) in values.sinkSettings.sorted(by: { $0.key < $1.key }) {
            let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
            guard let name = parts.first else { continue }
            // `sinks: {name: value}` has no setting's name.
            sinks[name, default: []].append(SinkSettings.Setting(parts.count == 2 ? parts[1] : "", setting.values))
        }
        return sinks.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    /// What is wrong with sinks: one problem each, at the place of the setting.
    static func sinkProblems(_ values: ConfigurationSet) -> [ConfigurationProblem] {
        sinkTexts(values).compactMap { name, settings in
            do {
                guard let known = SinkName(name) else { throw SinkProblem("name", given: name, allowed: SinkName.allowed) }
                _ = try SinkDefinition(name: known, settings: SinkSettings(settings))
                return nil
            } catch {
                guard let problem = error as? SinkProblem else { return nil }
                let path = "\(name).\(problem.setting)"
                let place =
                    values.sinkSettings[path]
                    ?? values.sinkSettings.filter { $0.key == name || $0.key.hasPrefix("\(name).") }.min { $0.key < $1.key }?.value
                return ConfigurationProblem(
                    key: "sinks.\(path)", value: problem.given, origin: place?.origin ?? .standard, message: "allowed: \(problem.allowed)")
            }
        }
    }
}
