import ArgumentParser
import Fleet
import Ledger
import Logging

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make or update the schema in Postgres.",
        discussion: "Safe to run twice and from several places at once. The first run fixes the number of shards.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let configuration = try common.load()
        _ = Bootstrap.process(configuration)
        try await MigrationRun.run(configuration)
    }
}

/// Migrates while a person sees how far it is.
enum MigrationRun {
    static func run(_ configuration: FleetConfiguration) async throws {
        let progress = SharedProgress()
        try await Migration.run(configuration, log: Logger(label: "weir.migrate")) { step in
            progress.show("migrating", step.number, step.total, note: step.applied ? step.name : "")
        }
        progress.finish("the schema is up to date")
    }
}
