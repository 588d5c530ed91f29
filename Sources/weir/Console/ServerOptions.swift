import ArgumentParser
import Fleet

/// Where the servers are that a command looks into: the configuration's, else those of a `weir up`.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The data folder of a `weir up` (also WEIR_DATA).", valueName: "folder"))
    var data: String?

    func load(_ common: CommonOptions, by command: String) throws -> FleetConfiguration {
        var configuration = try common.load()
        guard let local = LocalAddresses(folder: DataFolderOption.path(data)) else { return configuration }
        if configuration.redisURL == nil { try configuration.set("redis.url", to: local.redisURL, by: command) }
        if configuration.postgresURL == nil { try configuration.set("postgres.url", to: local.postgresURL, by: command) }
        return configuration
    }
}
