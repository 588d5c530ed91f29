import ArgumentParser
import Fleet
import Foundation

/// What every command takes: where the configuration is, and changes to it.
struct CommonOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The configuration file (also WEIR_CONFIG).", valueName: "file"))
    var config: String?

    @Option(name: [.customLong("set"), .customShort("s")], help: ArgumentHelp("Set a key, over every other source.", valueName: "key=value"))
    var changes: [String] = []

    @Option(name: .long, help: "The least level that is logged (log.level).")
    var logLevel: String?

    @Option(name: .long, help: "text or json (log.format).")
    var logFormat: String?

    func load() throws -> FleetConfiguration {
        let environment = ProcessInfo.processInfo.environment
        var flags = changes
        if let logLevel { flags.append("log.level=\(logLevel)") }
        if let logFormat { flags.append("log.format=\(logFormat)") }
        return try FleetConfiguration.load(file: try readFile(environment["WEIR_CONFIG"]), environment: environment, flags: flags)
    }

    private func readFile(_ variable: String?) throws -> (yaml: String, name: String)? {
        guard let path = config ?? variable.flatMap({ $0.isEmpty ? nil : $0 }) else { return nil }
        do {
            return (try String(contentsOfFile: path, encoding: .utf8), path)
        } catch {
            throw Failure("cannot read the configuration file \(path): \(error.localizedDescription)", code: ExitCodes.usage)
        }
    }
}
