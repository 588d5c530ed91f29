import ArgumentParser
import Fleet
import Logging

/// `weir ingest firehose`, `weir ingest backfill` and `weir ingest labeler`.
struct Ingest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read upstreams into the work streams.",
        discussion: "Any number of these may run: each upstream is read by one of them, the others stand by.",
        subcommands: [IngestFirehose.self, IngestBackfill.self, IngestLabeler.self])
}

struct IngestFirehose: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "firehose", abstract: "Read relays' firehoses (relay.hosts).")
    @OptionGroup var common: CommonOptions

    func run() async throws { try await RoleRun.run(.ingestFirehose, common) }
}

struct IngestBackfill: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backfill", abstract: "List the repositories that are wanted (repos.scope), and feed them to the workers, which fetch them.",
        discussion: "With the scope live there is nothing to do: it says so and waits.")
    @OptionGroup var common: CommonOptions

    func run() async throws { try await RoleRun.run(.ingestBackfill, common) }
}

struct IngestLabeler: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "labeler", abstract: "Read labelers' labels (labeler.hosts, labeler.dids).",
        discussion: "Without labelers there is nothing to do: it says so and waits.")
    @OptionGroup var common: CommonOptions

    func run() async throws { try await RoleRun.run(.ingestLabeler, common) }
}

struct Worker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take shards into the log, and publish what is logged.",
        discussion: "Any number of these may run, up to one a shard: they share the shards among them.")
    @OptionGroup var common: CommonOptions

    func run() async throws { try await RoleRun.run(.worker, common) }
}

struct API: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve clients over HTTP (api.bind).")
    @OptionGroup var common: CommonOptions

    func run() async throws { try await RoleRun.run(.api, common) }
}

/// One role in a process of its own.
enum RoleRun {
    static func run(_ role: Role, _ common: CommonOptions) async throws {
        let configuration = try common.load()
        let metrics = Bootstrap.process(configuration)
        let log = Logger(label: "weir.\(role.rawValue)")
        try await FleetProcess(roles: [role], configuration: configuration, metrics: metrics, log: log).run { address in
            log.info("listening", metadata: ["address": "\(address)"])
        }
    }
}
