import ArgumentParser
import Events
import Fleet
import Logging

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find what is wrong, and say what is safe to do about it.",
        discussion: """
            weir doctor                  the fleet: servers, leases, outbox, locks, indices, the log's days, clients
            weir doctor firehose/3       that run closely too: its cursors, holes in its log, its outlet
            weir doctor --json           for scripts: compare `code`

            Changes nothing. Exit codes: 0 nothing has to be mended, 1 something has, 2 configuration, 3 Postgres or Redis does not answer.
            Reads the configuration's servers, or those of a `weir up` in the data folder.
            """)
    @OptionGroup var common: CommonOptions
    @OptionGroup var servers: ServerOptions

    @Argument(help: "A run to look at closely, as firehose/3.")
    var run: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if let run, RunID(run) == nil { throw ValidationError("\(run) is no run's id") }
    }

    func run() async throws {
        let configuration = try servers.load(common, by: "weir doctor")
        _ = Bootstrap.process(configuration)
        let snapshot = try await DoctorVisit.look(configuration, run: run.flatMap { RunID($0) }, log: Logger(label: "weir.doctor"))
        let report = DoctorReport(DoctorChecks().findings(snapshot))
        if json { Console.print(report.json()) } else { report.lines().forEach { Console.print(Terminal.safe($0)) } }
        if snapshot.ledgerError != nil || snapshot.redisError != nil { throw ExitCodes.notReady }
        if !report.isWell { throw ExitCodes.failed }
    }
}

struct Release: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a publisher take a run's sink again that halted or backs off.",
        discussion: """
            weir release jobs/7 --sink outlet

            Whoever had it can mark nothing more; what is wrong halts it again. Nothing is marked as delivered by this.
            """)
    @OptionGroup var common: CommonOptions
    @OptionGroup var servers: ServerOptions

    @Argument(help: "The run, as firehose/3.")
    var run: String

    @Option(help: "The sink.")
    var sink: String = "outlet"

    func validate() throws {
        if RunID(run) == nil { throw ValidationError("\(run) is no run's id") }
    }

    func run() async throws {
        let configuration = try servers.load(common, by: "weir release")
        _ = Bootstrap.process(configuration)
        guard let id = RunID(run) else { return }
        guard let waiting = try await DoctorVisit.release(configuration, run: id, sink: sink, log: Logger(label: "weir.release")) else {
            throw Failure("there is no run \(run) with a sink \(sink)")
        }
        Console.print("\(run), sink \(sink): released; \(waiting) events wait")
    }
}
