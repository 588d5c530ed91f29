import ArgumentParser
import Fleet
import Logging

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this machine: each figure of Weir beside its ceiling, in one table.",
        discussion: """
            Servers and processes that a part needs are made for it, on free ports and in a temporary folder, and removed after it, also on Ctrl-C;
            addresses of servers in the configuration are not used. The fleet, its Redis, its Postgres and the simulator share this machine's cores.
            `ops/bench` builds a release first; a debug build says so.
            Exit code 0 where everything was measured, whatever the figures are; with --check 1 where one is not at its bar.
            """)
    @OptionGroup var common: CommonOptions

    enum Length: String, EnumerableFlag {
        case short, full

        static func help(for value: Length) -> ArgumentHelp? {
            value == .short ? "About two minutes of measuring (default)." : "Long enough for steady figures."
        }
    }

    @Flag(exclusivity: .exclusive) var length: Length = .short

    @Option(help: ArgumentHelp("Only this part; may be given again (\(Self.names.joined(separator: ", "))).", valueName: "part"))
    var only: [String] = []

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Exit with 1 where a figure is not at its bar.")
    var check = false

    private static let names = BenchParts.all.map { $0.name }

    func validate() throws {
        for part in only where !Self.names.contains(part) {
            throw ValidationError("--only: there is no part \(part); allowed: \(Self.names.joined(separator: ", "))")
        }
    }

    func run() async throws {
        var changed = common
        changed.logLevel = common.logLevel ?? "error"
        let configuration = try changed.load()
        _ = Bootstrap.process(configuration)
        if BenchMachine.isDebug { Console.complain("weir: this is a debug build: its figures say little") }
        let progress = SharedProgress()
        let context = BenchContext(isFull: length == .full, configuration: configuration, log: Logger(label: "weir.bench"), progress: progress)
        let parts = BenchParts.all.filter { only.isEmpty || only.contains($0.name) }
        let result: BenchResult
        do {
            result = try await BenchInterrupt.cancels { try await Self.measure(parts, context) }
        } catch {
            progress.finish("stopped")
            throw error
        }
        progress.finish()
        let table = BenchTable(result: result)
        if json { Console.print(try table.json()) } else { for line in table.lines() { Console.print(line) } }
        if !result.broken.isEmpty || check && !result.isReached { throw ExitCodes.failed }
    }

    /// A part that cannot be measured does not keep the others from it.
    private static func measure(_ parts: [any BenchPart.Type], _ context: BenchContext) async throws -> BenchResult {
        var result = BenchResult(machine: await BenchMachine.look(), isFull: context.isFull)
        for part in parts {
            do {
                for row in try await part.rows(context) { result.rows.append((part.name, row)) }
            } catch {
                try Task.checkCancellation()
                result.broken.append(BenchResult.Broken(part: part.name, error: "\(error)"))
            }
        }
        return result
    }
}
