import ArgumentParser
import Fleet
import Foundation
import Logging
import Simulator

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run everything in one process, with a Redis and a Postgres of its own.",
        discussion: """
            Servers that are configured (redis.url, postgres.url) are used as they are; the others are started under the data folder and end with
            this process. With --demo a simulated network is read in place of relay.hosts and of labelers.
            """)
    @OptionGroup var common: CommonOptions

    @Flag(help: "Read a simulated network, so that events move at once.")
    var demo = false

    @Option(help: ArgumentHelp("Where the servers keep their data (also WEIR_DATA).", valueName: "folder"))
    var data: String?

    func run() async throws {
        var configuration = try common.load()
        let metrics = Bootstrap.process(configuration)
        let log = Logger(label: "weir.up")

        var simulator: SimulatorService?
        if demo {
            let service = try await SimulatorBuild.prepare(configuration, log: Logger(label: "weir.simulator"))
            try configuration.set("relay.hosts", to: service.addresses.relayURLs.joined(separator: ","), by: "--demo")
            try configuration.set("labeler.hosts", to: service.addresses.labelerURLs.joined(separator: ","), by: "--demo")
            try configuration.set("labeler.dids", to: "", by: "--demo")
            try configuration.set("plc.url", to: service.addresses.directoryURL, by: "--demo")
            // Each start is a new network behind the same addresses: its relays number anew.
            try configuration.set("relay.future_cursor", to: "live", by: "--demo")
            // Its hosts are on this machine.
            try configuration.set("allow_private_hosts", to: "true", by: "--demo")
            simulator = service
        }

        let servers = try LocalServers(
            folder: DataFolderOption.path(data), redis: configuration.redisURL == nil, postgres: configuration.postgresURL == nil, log: log)
        if let url = servers.redisURL { try configuration.set("redis.url", to: url, by: "weir up") }
        if let url = servers.postgresURL { try configuration.set("postgres.url", to: url, by: "weir up") }

        let ready = configuration
        let beside = simulator
        try await servers.run {
            try await MigrationRun.run(ready)
            let roles: Set<Role> = [.ingestFirehose, .ingestBackfill, .worker, .api]
            try await FleetProcess(
                roles: ready.hasLabelers ? roles.union([.ingestLabeler]) : roles, configuration: ready, metrics: metrics, log: log
            )
            .run(beside: beside.map { [$0] } ?? []) { address in
                Banner(
                    address: address, folder: servers.folder, controls: beside?.addresses.controlURL, relays: ready.relayHosts,
                    labelers: beside?.addresses.labelerURLs ?? []
                ).show()
            }
        }
    }
}
