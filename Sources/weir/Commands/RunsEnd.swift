import ArgumentParser
import Events

struct RunsFinish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finish", abstract: "End a run with its terminal event; nothing follows it. May be repeated.")
    @OptionGroup var run: RunOptions
    @OptionGroup var expected: ExpectedSeq

    @Flag(help: "It failed.")
    var failed = false

    @Option(help: ArgumentHelp("Why: kept, and told in the terminal event.", valueName: "text"))
    var reason: String?

    func run() async throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("state", failed ? "failed" : "finished")
        if let reason { writer.member("reason", reason) }
        writer.endObject()
        try await run.end("/finish" + expected.query, writer.take())
    }
}

struct RunsCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a run that its application has abandoned. The last resort: who and why is kept.")
    @OptionGroup var run: RunOptions
    @OptionGroup var expected: ExpectedSeq

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason: String

    func run() async throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("reason", reason)
        writer.endObject()
        try await run.end("/cancel" + expected.query, writer.take())
    }
}

/// What a run's last seq must be for a command to do anything.
struct ExpectedSeq: ParsableArguments {
    @Option(help: ArgumentHelp("Only where the run's last seq is this one.", valueName: "seq"))
    var expectedSeq: Int64?

    func validate() throws {
        if let expectedSeq, expectedSeq < 0 { throw ValidationError("--expected-seq: 0 or more is allowed") }
    }

    var query: String { expectedSeq.map { "?expectedSeq=\($0)" } ?? "" }
}
