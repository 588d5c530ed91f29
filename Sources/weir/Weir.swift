import ArgumentParser
import Glibc

/// The command line.
@main
struct Weir: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract: "AT Protocol firehoses into a durable, ordered log that applications follow.",
        discussion: """
            Try it:  weir up --demo
                     curl -N http://127.0.0.1:7480/streams/firehose

            Configuration is one YAML file (--config), then the environment (WEIR_…), then flags (--set key=value); later ones win.
            Exit codes: 0 ok, 1 failed, 2 usage or configuration, 3 not ready or not reachable, 130 interrupted.
            """,
        version: Version.text,
        subcommands: [BenchArchive.self],
        groupedSubcommands: [
            CommandGroup(name: "Run", subcommands: [Up.self, Migrate.self, Ingest.self, Worker.self, API.self, Simulate.self]),
            CommandGroup(name: "Look", subcommands: [Status.self, Tail.self, Inspect.self, Health.self, Bench.self]),
            CommandGroup(name: "Choose", subcommands: [Repos.self]),
            CommandGroup(name: "Append", subcommands: [Runs.self]),
            CommandGroup(name: "Mend", subcommands: [Doctor.self, Release.self, Replay.self]),
            CommandGroup(name: "Deliver", subcommands: [Sinks.self, DeadLetters.self]),
            CommandGroup(name: "About", subcommands: [Config.self, VersionCommand.self]),
        ])

    /// ArgumentParser ends with 64 for wrong usage; Weir's own codes are in ``ExitCodes``.
    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            Failure.end(with: error)
        }
    }
}
