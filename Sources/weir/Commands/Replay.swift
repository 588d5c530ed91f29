import ArgumentParser
import Events
import Fleet
import Ledger
import Logging

struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Deliver a stretch of a run to a sink again.",
        discussion: """
            weir replay jobs/7 --sink stdout                                 all of it, as lines of JSON
            weir replay firehose/3 --from 1000 --to 1999 --sink file --output again.ndjson
            weir replay jobs/7 --from 40 --sink mail-hook                    a sink of `weir sinks`: its cursor stays
            weir replay replay/4 --resume --sink file --output again.ndjson  go on with one that was left

            Its progress is a run, replay/<n>: weir tail replay/<n>. A checkpoint is written each 1000 seqs; a replay that goes on after a crash
            repeats what came behind its last one. It ends in front of a seq that the log lacks, with exit code 1.
            Reads postgres.url, or the Postgres of a `weir up` in the data folder.
            """)
    @OptionGroup var common: CommonOptions
    @OptionGroup var servers: ServerOptions

    @Argument(help: "The run, as firehose/3; with --resume the replay's own, as replay/4.")
    var run: String

    @Option(help: ArgumentHelp("The first seq (default: 1).", valueName: "seq"))
    var from: Int64?

    @Option(help: ArgumentHelp("The last seq (default: the run's last one now).", valueName: "seq"))
    var to: Int64?

    @Option(help: ArgumentHelp("stdout, file, or a registered sink.", valueName: "name"))
    var sink: String

    @Option(help: ArgumentHelp("The file that the sink `file` appends to.", valueName: "file"))
    var output: String?

    @Option(help: "weir, jetstream or tap.")
    var format: String = EventFormat.weir.rawValue

    @Option(help: ArgumentHelp("Only these collections; app.bsky.feed.* for all below. Repeatable.", valueName: "nsid"))
    var collection: [String] = []

    @Option(help: ArgumentHelp("Only these accounts. Repeatable.", valueName: "did"))
    var did: [String] = []

    @Option(help: ArgumentHelp("Only these kinds. Repeatable.", valueName: "kind"))
    var kind: [String] = []

    @Flag(help: "Go on with a replay that was left.")
    var resume = false

    enum Sink: String, CaseIterable { case stdout, file }

    func validate() throws {
        guard RunID(run) != nil else { throw ValidationError("\(run) is no run's id") }
        let known = Sink(rawValue: sink)
        guard known != nil || SinkName(sink) != nil else {
            throw ValidationError("--sink: there is no \(sink); allowed: stdout, file, or the name of a sink")
        }
        guard (output != nil) == (known == .file) else { throw ValidationError("--output belongs to the sink file, and that needs it") }
        guard EventFormat(rawValue: format) != nil else { throw ValidationError("--format: weir, jetstream or tap is allowed") }
        guard !resume || from == nil && to == nil else {
            throw ValidationError("--resume goes on with what was asked for before: no --from, no --to")
        }
        if let from, from < 1 { throw ValidationError("--from: 1 or more is allowed") }
        if let from, let to, to < from { throw ValidationError("--to: \(from) or more is allowed") }
    }

    func run() async throws {
        let configuration = try servers.load(common, by: "weir replay")
        _ = Bootstrap.process(configuration)
        guard let id = RunID(run), let format = EventFormat(rawValue: format) else { return }
        let filter: EventFilter
        do {
            filter = try EventFilter(collections: collection, dids: did, kinds: kind)
        } catch {
            throw Failure("\(error)", code: ExitCodes.usage)
        }
        let end = try await deliver(resume ? .goOn(id) : .begin(id, from: from, to: to), filter, format, configuration)
        if let gap = end.gap {
            let behind = gap.upperBound < end.replay.range.upperBound ? "; what is behind it: --from \(gap.upperBound + 1)" : ""
            throw Failure(
                "the log of \(end.replay.source) lacks \(gap.lowerBound) to \(gap.upperBound): \(end.replay.run) ends in front of it\(behind)")
        }
    }

    private func deliver(
        _ order: Replays.Order, _ filter: EventFilter, _ format: EventFormat, _ configuration: FleetConfiguration
    ) async throws -> ReplayProgress {
        let bar = SharedProgress()
        let target: Replays.Target
        switch Sink(rawValue: sink) {
        case .stdout: target = .local(name: sink, NDJSONSink(format: format))
        case .file: target = .local(name: sink, try NDJSONSink(appendingTo: output ?? "", format: format))
        case nil:
            guard let name = SinkName(sink) else { throw Failure("there is no sink \(sink)", code: ExitCodes.usage) }
            target = .registered(name)
        }
        do {
            let end = try await BenchInterrupt.cancels {
                try await Replays.run(
                    order, configuration: configuration, target: target, filter: filter, log: Logger(label: "weir.replay"),
                    begun: { Console.complain("weir: \($0.run): \($0.source) from \($0.checkpoint + 1) to \($0.range.upperBound)") },
                    progress: { bar.show("replaying", Int($0.done), Int($0.total), note: "\($0.replay.delivered) delivered") })
            }
            bar.finish("\(end.replay.delivered) events delivered")
            return end
        } catch {
            bar.finish("stopped")
            throw error is FleetError || error is LedgerError ? Failure("\(error)") : error
        }
    }
}
